// The narrative of a chapter (spec/cr-bio.md 5.10): the part with legal value. It says everything that the entries say; flags
// are letters and words, never a colour.
#include <algorithm>

#include "cda/detail_write.hpp"
#include "lib/base/text.hpp"

namespace sgl::cda::detail {

namespace {

struct Printed {
    std::string value;
    std::string unit;
};

std::string unit_of(const std::string& ucum, const std::string& printed) {
    if (!printed.empty()) return printed;
    return ucum.starts_with('{') && ucum.ends_with('}') ? std::string() : ucum;
}

Printed print(const Value& value) {
    if (const auto* q = std::get_if<Quantity>(&value)) return {q->value.french(), unit_of(q->unit, q->unit_text)};
    if (const auto* b = std::get_if<Bound>(&value)) {
        std::string sign = b->side == Bound::Side::below ? (b->inclusive ? "≤ " : "< ") : (b->inclusive ? "≥ " : "> ");
        return {sign + b->limit.french(), unit_of(b->unit, b->unit_text)};
    }
    if (const auto* n = std::get_if<Number>(&value)) return {n->value.french(), {}};
    if (const auto* c = std::get_if<Code>(&value)) return {c->display, {}};
    if (const auto* words = std::get_if<Qualitative>(&value)) return {words->text, {}};
    return {std::get<FreeText>(value).text, {}};
}

std::string print(const ReferenceRange& range) {
    if (!range.text.empty()) return range.text;
    if (range.low && range.high) return range.low->french() + " à " + range.high->french();
    if (range.low) return "≥ " + range.low->french();
    if (range.high) return "≤ " + range.high->french();
    return {};
}

std::string print(const std::string& flag) {
    const auto* entry = codes::find(codes::interpretations, flag);
    return entry == nullptr ? flag : flag + " (" + std::string(entry->label) + ")";
}

std::string full_name(const PersonName& name) {
    std::string text;
    for (const auto* part : {&name.suffix, &name.given, &name.family}) {
        if (part->empty()) continue;
        if (!text.empty()) text += ' ';
        text += *part;
    }
    return text;
}

// Line breaks of a comment become <br/>.
void lines(XmlWriter& w, std::string_view text) {
    bool first = true;
    for (const auto line : split(text, '\n')) {
        if (!first) w.element("br");
        first = false;
        const auto visible = line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
        if (!visible.empty()) w.text(visible);
    }
}

// The one time of all results of a table, when they share it: then it is said once under the table.
std::optional<Timestamp> common_time(const std::vector<Observation>& results) {
    std::optional<Timestamp> common;
    for (const auto& result : results) {
        if (!result.time) continue;
        if (common && *common != *result.time) return std::nullopt;
        common = result.time;
    }
    return common;
}

// The name of the examination, with its method and the laboratory that performed it under it.
void name_cell(XmlWriter& w, const Observation& result, const Anchors& anchors, std::size_t index) {
    w.element("td", {}, [&] {
        w.element("content", {{"ID", anchors.label(index)}}, result.code.label);
        const auto& method = result.method_text.empty() && result.method ? result.method->display : result.method_text;
        if (!method.empty() || result.method) {
            w.element("br");
            w.element("content", {{"ID", anchors.method(index)}, {"styleCode", "Italics"}}, method);
        }
        if (result.performer && result.performer->who.organisation) {
            w.element("br");
            w.text("Examen réalisé par " + result.performer->who.organisation->name);
        }
    });
}

void comment_rows(XmlWriter& w, const Observation& result, const Anchors& anchors, std::size_t index,
                  std::string_view columns) {
    for (std::size_t n = 0; n < result.comments.size(); ++n)
        w.element("tr", {}, [&] {
            w.element("td", {{"colspan", columns}}, [&] {
                w.element("content", {{"ID", anchors.comment(index, n)}}, [&] { lines(w, result.comments[n]); });
            });
        });
}

void row(XmlWriter& w, const Observation& result, const Anchors& anchors, std::size_t index, bool with_time) {
    const auto printed = result.value ? print(*result.value) : Printed{};
    w.element("tr", {}, [&] {
        name_cell(w, result, anchors, index);
        w.element("td", {}, [&] {
            if (!result.value) {
                w.element("content", {{"ID", anchors.value(index)}}, "Non réalisé");
                return;
            }
            const bool remarkable = !result.interpretation.empty() && result.interpretation != "N";
            w.element("content", {{"ID", anchors.value(index)}, {"styleCode", remarkable ? "Bold" : ""}},
                      [&] { lines(w, printed.value); });
            if (!result.interpretation.empty()) w.text(" " + print(result.interpretation));
            if (with_time && result.time) {
                w.element("br");
                w.text("le " + to_french_date_time(*result.time));
            }
        });
        w.element("td", {}, [&] {
            if (!printed.unit.empty()) w.text(printed.unit);
        });
        w.element("td", {}, [&] {
            if (result.range) w.text(print(*result.range));
        });
        w.element("td", {}, [&] {
            for (std::size_t n = 0; n < result.previous.size(); ++n) {
                const auto& previous = result.previous[n];
                const auto before = print(previous.value);
                if (n > 0) w.element("br");
                w.element("content", {{"ID", anchors.previous(index, n)}}, before.value);
                auto rest = before.unit.empty() ? std::string() : " " + before.unit;
                if (!previous.interpretation.empty()) rest += " " + print(previous.interpretation);
                w.text(rest + " le " + to_french_date_time(previous.time));
            }
        });
    });
    comment_rows(w, result, anchors, index, "5");
}

void table(XmlWriter& w, std::initializer_list<std::string_view> titles, const std::vector<Observation>& results,
           const auto& each) {
    const auto time = common_time(results);
    w.element("table", {{"border", "1"}}, [&] {
        w.element("thead", {}, [&] {
            w.element("tr", {}, [&] {
                for (const auto title : titles) w.element("th", {}, title);
            });
        });
        w.element("tbody", {}, [&] {
            for (std::size_t i = 0; i < results.size(); ++i) each(results[i], i, !time);
        });
    });
    if (time) w.element("paragraph", {}, "Résultats obtenus le " + to_french_date_time(*time));
}

void results_table(XmlWriter& w, const std::vector<Observation>& results, const Anchors& anchors) {
    if (results.empty()) return;
    table(w, {"Examen, méthode", "Résultat", "Unité", "Valeurs de référence", "Antériorité"}, results,
          [&](const Observation& result, std::size_t i, bool with_time) { row(w, result, anchors, i, with_time); });
}

// S, I and R have a column of their own; what they mean is said under the table.
void antibiogram(XmlWriter& w, const std::vector<Observation>& antibiotics, const Anchors& anchors) {
    if (antibiotics.empty()) return;
    table(w, {"Antibiotique, méthode", "CMI ou diamètre", "Unité", "Interprétation"}, antibiotics,
          [&](const Observation& result, std::size_t i, bool with_time) {
              const auto printed = result.value ? print(*result.value) : Printed{"Non réalisé", {}};
              w.element("tr", {}, [&] {
                  name_cell(w, result, anchors, i);
                  w.element("td", {}, [&] {
                      w.element("content", {{"ID", anchors.value(i)}}, printed.value);
                      if (with_time && result.time) {
                          w.element("br");
                          w.text("le " + to_french_date_time(*result.time));
                      }
                  });
                  w.element("td", {}, [&] {
                      if (!printed.unit.empty()) w.text(printed.unit);
                  });
                  w.element("td", {}, result.interpretation);
              });
              comment_rows(w, result, anchors, i, "4");
          });
    std::string legend;
    for (const auto& meaning : codes::susceptibilities) {
        const auto used = [&](const Observation& line) { return line.interpretation == meaning.code; };
        if (std::ranges::none_of(antibiotics, used)) continue;
        legend += (legend.empty() ? "" : " ; ") + std::string(meaning.code) + " : " + std::string(meaning.label);
    }
    if (!legend.empty()) w.element("paragraph", {}, legend + ".");
}

void isolate(XmlWriter& w, const Isolate& isolate, const Anchors& anchors, std::size_t number) {
    w.element("paragraph", {}, [&] {
        w.text("Germe n° " + std::to_string(number + 1) + " : ");
        w.element("content", {{"ID", anchors.germ()}, {"styleCode", "Bold"}}, isolate.label);
        switch (isolate.progress) {
            case Progress::completed: break;
            case Progress::active: w.text(" (identification provisoire)"); break;
            case Progress::aborted: w.text(" (étude abandonnée)"); break;
        }
    });
    results_table(w, isolate.observations, anchors);
    antibiogram(w, isolate.antibiogram, anchors.antibiogram());
    for (std::size_t n = 0; n < isolate.comments.size(); ++n)
        w.element("paragraph", {}, [&] {
            w.element("content", {{"ID", anchors.group_comment(n)}}, [&] { lines(w, isolate.comments[n]); });
        });
}

void specimen_line(XmlWriter& w, const Specimen& specimen) {
    auto text = "Prélèvement : " + specimen.type.display + ", n° " + specimen.id.extension;
    if (specimen.act) text += ", " + specimen.act->display;
    text += ", prélevé le " + to_french_date_time(specimen.collected);
    if (specimen.received) text += ", reçu le " + to_french_date_time(*specimen.received);
    w.element("paragraph", {}, text);
}

}  // namespace

void narrative(XmlWriter& w, const ResultGroup& group, const Anchors& anchors) {
    w.element("text", {}, [&] {
        for (const auto& specimen : group.specimens) specimen_line(w, specimen);
        results_table(w, group.observations, anchors);
        for (std::size_t i = 0; i < group.isolates.size(); ++i)
            isolate(w, group.isolates[i], anchors.isolate(i), i);
        for (std::size_t n = 0; n < group.comments.size(); ++n)
            w.element("paragraph", {}, [&] {
                w.element("content", {{"ID", anchors.group_comment(n)}}, [&] { lines(w, group.comments[n]); });
            });
        switch (group.progress) {
            case Progress::completed: break;
            case Progress::active: w.element("paragraph", {}, "Résultats partiels : d'autres résultats suivront."); break;
            case Progress::aborted: w.element("paragraph", {}, "Examens abandonnés."); break;
        }
        for (const auto& validator : group.validators)
            w.element("paragraph", {}, "Validé par " + full_name(validator.who.name) + " le " +
                                           to_french_date_time(validator.time));
    });
}

}  // namespace sgl::cda::detail
