#include "test/golden/picture.hpp"

#include <boost/json.hpp>
#include <map>
#include <set>
#include <vector>

namespace sgl::golden {

namespace json = boost::json;

namespace {

constexpr std::size_t line_width = 170;

std::string compact(const json::value& value) {
    if (const auto* object = value.if_object()) {
        std::string text = "{";
        for (const auto& [key, member] : *object)
            text += (text.size() > 1 ? ", " : " ") + json::serialize(json::value(key)) + ": " + compact(member);
        return text + (object->empty() ? "}" : " }");
    }
    if (const auto* array = value.if_array()) {
        std::string text = "[";
        for (const auto& member : *array)
            text += (text.size() > 1 ? ", " : "") + compact(member);
        return text + "]";
    }
    return json::serialize(value);
}

/// What fits on a line stands on a line.
std::string pretty(const json::value& value, std::size_t indent) {
    const auto line = compact(value);
    if (!value.is_structured() || line.size() + indent <= line_width) return line;
    const std::string inner(indent + 2, ' ');
    std::string text;
    if (const auto* object = value.if_object()) {
        for (const auto& [key, member] : *object)
            text += (text.empty() ? "" : ",\n") + inner + json::serialize(json::value(key)) + ": " +
                    pretty(member, indent + 2);
        return "{\n" + text + "\n" + std::string(indent, ' ') + "}";
    }
    for (const auto& member : value.as_array())
        text += (text.empty() ? "" : ",\n") + inner + pretty(member, indent + 2);
    return "[\n" + text + "\n" + std::string(indent, ' ') + "]";
}

/// Columns by their names, `name?` a boolean, `name*` JSON of its own; empty texts, nulls and false are left out.
json::object row_of(const pg::Row& row, const std::vector<std::string>& columns, int at = 0) {
    json::object object;
    for (const auto& column : columns) {
        const int i = at++;
        if (row.is_null(i)) continue;
        const auto text = row.string(i);
        if (column.ends_with('?')) {
            if (row.boolean(i)) object[column.substr(0, column.size() - 1)] = true;
        } else if (column.ends_with('*')) {
            if (text != "{}" && text != "[]") object[column.substr(0, column.size() - 1)] = json::parse(text);
        } else if (!text.empty()) {
            object[column] = text;
        }
    }
    return object;
}

json::array rows_of(const pg::Rows& rows, const std::vector<std::string>& columns, int at = 0) {
    json::array array;
    for (const auto row : rows)
        array.push_back(row_of(row, columns, at));
    return array;
}

/// Grouped by the first column.
std::map<std::string, json::array> by_order(const pg::Rows& rows, const std::vector<std::string>& columns) {
    std::map<std::string, json::array> groups;
    for (const auto row : rows)
        groups[row.optional_text(0).value_or("")].push_back(row_of(row, columns, 1));
    return groups;
}

void add(json::object& to, std::string_view name, json::array list) {
    if (!list.empty()) to[name] = std::move(list);
}

}  // namespace

std::string picture(const Ask& ask, bool messages) {
    json::object all;
    add(all, "patients",
        rows_of(ask(R"sql(
            select local_id, nullif(local_authority, '1.2.250.1.999.1'), birth_name, birth_given_names, first_given_name,
                   nullif(used_name, birth_name), used_given_name, birth_date, sex, birth_place, status,
                   ins_matricule, ins_oid, doubtful, fictitious, dmp_opposed, messaging_opposed, homonym,
                   (select s.local_id from patient s where s.id = patient.merged_into),
                   (select jsonb_agg(f.local_id order by f.local_id) from patient_former_number f where f.patient_id = patient.id)::text
            from patient order by patient.local_authority, patient.local_id)sql"),
                {"local_id", "authority", "birth_name", "birth_given_names", "first_given_name", "used_name",
                 "used_given_name", "birth_date", "sex", "birth_place", "status", "ins", "ins_oid", "doubtful?",
                 "fictitious?", "dmp_opposed?", "messaging_opposed?", "homonym?", "merged_into", "former_numbers*"}));
    add(all, "stays",
        rows_of(ask(R"sql(
            select p.local_id, s.number, s.patient_class, s.location, s.planned, s.cancelled,
                   to_char(s.admitted_at at time zone 'Europe/Paris', 'YYYYMMDDHH24MI'),
                   to_char(s.discharged_at at time zone 'Europe/Paris', 'YYYYMMDDHH24MI'), s.dmp_status,
                   case s.admission_opposed when true then 'opposed' when false then 'not opposed' end,
                   case s.discharge_opposed when true then 'opposed' when false then 'not opposed' end,
                   (select jsonb_agg(m.movement_id || ' ' || m.medical_ward || case when m.historic then ' historic' else '' end
                            || case when m.cancelled then ' cancelled' else '' end order by m.movement_id)
                    from patient_movement m where m.stay_id = s.id)::text
            from patient_stay s join patient p on p.id = s.patient_id order by p.local_id, s.number)sql"),
                {"patient", "number", "class", "location", "planned?", "cancelled?", "admitted_at", "discharged_at",
                 "dmp", "dmp_at_admission", "dmp_at_discharge", "movements*"}));
    add(all, "identity_changes",
        rows_of(ask(R"sql(
            select c.kind, p.local_id, nullif(w.local_id, p.local_id), c.wrong_matricule, nullif(cardinality(c.orders), 0)::text,
                   c.undone_at is not null
            from identity_change c join patient p on p.id = c.patient_id join patient w on w.id = c.wrong_patient_id
            order by c.id)sql"),
                {"kind", "patient", "instead_of", "instead_of_ins", "orders_moved", "undone?"}));
    add(all, "ignored_events",
        rows_of(ask("select event, count::text from ignored_event order by event"), {"event", "count"}));

    auto specimens = by_order(ask(R"sql(
        select order_id::text, number, type, type_label, collected_at, received_at, refusal_code, refusal
        from specimen order by number)sql"),
                              {"number", "type", "label", "collected_at", "received_at", "refused", "because"});
    auto prior = by_order(ask(R"sql(
        select order_id::text, content->>'code', content->>'label', concat_ws(' ', content->>'value', content->>'unit'),
               content->>'range', content->>'flag', content->>'at', content->>'laboratory'
        from prior_result order by message_id, position)sql"),
                          {"code", "label", "value", "range", "flag", "at", "laboratory"});
    auto results = by_order(ask(R"sql(
        select r.order_id::text, r.code, nullif(a.local_code, r.code), r.run, r.status,
               case when r.value_kind <> 'n' then r.comparator || r.value || rtrim(' ' || r.unit) end,
               case when r.value_kind = 'c' then nullif(r.value_system, '|') end,
               r.received_flags, r.note, r.specimen_number, r.measured_at, r.isolate, r.detail::text, nullif(r.state, 'raw'),
               exists (select 1 from result n where n.replaces = r.id and r.state <> 'superseded')
        from result r left join analyte a on a.id = r.analyte_id
        order by r.id)sql"),
                            {"code", "examination", "run", "status", "value", "coded_as", "flags", "note", "specimen",
                             "measured_at", "isolate", "detail*", "state", "superseded?"});
    auto documents = by_order(ask(R"sql(
        select order_id::text, code, title, media_type, length(content)::text, encode(sha256, 'hex')
        from order_document order by id)sql"),
                              {"code", "title", "media_type", "bytes", "sha256"});
    auto work = by_order(ask(R"sql(
        select order_id::text, kind, coordinate, what, done_at is not null from work_item order by id)sql"),
                         {"kind", "at", "what", "done?"});
    auto steps = by_order(ask("select order_id::text, analyte, specimen_number, state from awos order by number"),
                          {"examination", "specimen", "state"});
    auto letters = by_order(ask(R"sql(
        select s.order_id::text, v.version::text, l.channel, l.recipient_name, nullif(l.act, 'deliver'), l.state, l.reason
        from letter l join report_version v on v.id = l.version_id join report_set s on s.id = v.set_id
        order by v.version, l.channel, l.recipient_key, l.act)sql"),
                            {"version", "channel", "recipient", "act", "state", "reason"});
    auto reports = by_order(ask(R"sql(
        select s.order_id::text, v.version::text, v.kind, v.state,
               (select jsonb_agg(local_code order by position) from validated_result where version_id = v.id)::text,
               (select jsonb_agg(e->>'label') from jsonb_array_elements(v.awaited) e)::text,
               case when v.version > 1 then v.comment end, v.withdrawn_why
        from report_version v join report_set s on s.id = v.set_id order by v.version)sql"),
                              {"version", "kind", "state", "results*", "awaited*", "comment", "withdrawn"});

    json::array orders;
    for (const auto row : ask(R"sql(
        select o.id::text, o.number,
               (select jsonb_agg(kind || ' ' || number order by kind, number) from order_number
                where order_id = o.id and number <> o.number)::text,
               o.state, p.local_id, o.placer_group, o.prescriber->>'family',
               (select jsonb_agg(concat_ws(': ', concat_ws(' ', e->>'code', e->>'state'), e->>'reason'))
                from jsonb_array_elements(o.exams) e)::text,
               (select jsonb_agg(c->>'family') from jsonb_array_elements(o.copies) c)::text,
               o.prescribed_at, o.stay_number, o.patient_class, o.clinical_context, o.urgent
        from lab_order o join patient p on p.id = o.patient_id order by o.registered_at, o.number)sql")) {
        auto order = row_of(row,
                            {"number", "numbers*", "state", "patient", "group", "prescriber", "exams*", "copies*", "prescribed_at",
                             "stay", "class", "clinical_context", "urgent?"},
                            1);
        const auto id = row.string(0);
        add(order, "specimens", std::move(specimens[id]));
        add(order, "results", std::move(results[id]));
        add(order, "documents", std::move(documents[id]));
        add(order, "prior_results_of_the_requester", std::move(prior[id]));
        add(order, "asked_of_analysers", std::move(steps[id]));
        add(order, "work", std::move(work[id]));
        add(order, "reports", std::move(reports[id]));
        add(order, "letters", std::move(letters[id]));
        orders.push_back(std::move(order));
    }
    add(all, "orders", std::move(orders));
    add(all, "results_without_order", std::move(results[""]));
    add(all, "work", std::move(work[""]));
    if (messages) {
        add(all, "messages",
            rows_of(ask("select type, control_id, answer, state from message order by id"),
                    {"type", "control_id", "answer", "state"}));
    }
    std::string text = "{";
    for (const auto& [name, list] : all) {
        text += (text.size() > 1 ? ",\n" : "\n") + ("  " + json::serialize(json::value(name))) + ": [";
        std::string lines;
        for (const auto& item : list.as_array())
            lines += (lines.empty() ? "\n    " : ",\n    ") + pretty(item, 4);
        text += lines + "\n  ]";
    }
    return text + "\n}\n";
}

}  // namespace sgl::golden
