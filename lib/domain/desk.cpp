#include "lib/domain/desk.hpp"

#include <algorithm>
#include <cctype>

#include "lib/base/text.hpp"
#include "lib/domain/specimen_types.hpp"

namespace sgl::domain {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t longest_text = 4000;
constexpr std::size_t longest_number = 40;

bool is_digits(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::string trimmed(std::string_view text) {
    return std::string(trim(text));
}

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words;
    for (const auto part : split(text, ' ')) {
        if (const auto word = trim(part); !word.empty() && word != "·") words.emplace_back(word);
    }
    return words;
}

bool contains_word(const std::string& text, const std::string& word) {
    return text.find(word) != std::string::npos;
}

/// Local time to the minute, with its offset.
std::optional<Timestamp> typed_moment(std::string_view text, const TimeZone& zone) {
    std::string compact;
    for (const char c : text) {
        if (c != '-' && c != ':' && c != 'T' && c != ' ') compact += c;
    }
    if (!is_digits(compact) || (compact.size() != 12 && compact.size() != 14)) return std::nullopt;
    auto read = Timestamp::parse(compact.substr(0, 12));
    if (!read) return std::nullopt;
    read->offset_minutes = zone.offset_minutes(zone.to_instant(*read));
    return *read;
}

std::string moment_words(const std::optional<Timestamp>& at, const TimeZone& zone) {
    if (!at || at->precision < Precision::minute) return {};
    const auto local = at->offset_minutes ? zone.to_local(zone.to_instant(*at), Precision::minute) : *at;
    const auto hl7 = to_hl7(local);
    return hl7.substr(0, 4) + "-" + hl7.substr(4, 2) + "-" + hl7.substr(6, 2) + "T" + hl7.substr(8, 2) + ":" +
           hl7.substr(10, 2);
}

/// Capital letters, spaces, hyphens and apostrophes (identity-and-directory 1.3).
bool is_name(std::string_view text) {
    const auto normal = normalised_name(text);
    return !normal.empty() && normal.size() <= 100 && std::ranges::all_of(normal, [](char c) {
        return (c >= 'A' && c <= 'Z') || c == ' ' || c == '-' || c == '\'';
    });
}

class Reading {
public:
    Reading(const DeskForm& form, const DeskKnowledge& knowledge) : form_(form), knowledge_(knowledge) {}

    DeskReading fresh() {
        auto& order = to_.request.order;
        if (!form_.patient) traits(order.patient);
        if (trim(form_.prescriber).empty())
            refuse("prescriber", "Le prescripteur manque.");
        else
            order.prescriber = person("prescriber", form_.prescriber, true).value_or(Professional());
        order.copies = copies();
        if (!trim(form_.collector).empty())
            order.collector = person("collector", form_.collector, false).value_or(Professional());
        if (const auto day = trim(form_.prescribed_on); !day.empty()) {
            order.prescribed_at = typed_day(day);
            if (!order.prescribed_at)
                refuse("prescribed_on", "Cette date n'existe pas.");
            else if (later(*order.prescribed_at))
                refuse("prescribed_on", "Cette date est à venir.");
        }
        order.stay_number = short_text("stay_number", form_.stay_number);
        order.clinical_context = long_text("clinical_context", form_.clinical_context);
        order.urgent = form_.urgent;
        lines();
        if (to_.request.lines.empty() && !failed("more_exams"))
            refuse("more_exams", "La demande n'a pas encore d'examen.");
        tubes();
        if (order.specimens.empty() && !failed("tubes")) one_tube_a_kind();
        return std::move(to_);
    }

    DeskReading correction(const KnownOrder& known) {
        OrderCorrection asked;
        asked.number = known.number;
        if (trim(form_.prescriber) != person_words(known.prescriber)) {
            if (trim(form_.prescriber).empty())
                refuse("prescriber", "Le prescripteur manque.");
            else if (auto who = person("prescriber", form_.prescriber, true))
                asked.prescriber = std::move(*who);
        }
        auto others = copies(known.copies);
        if (others != known.copies) asked.copies = std::move(others);
        const auto context = long_text("clinical_context", form_.clinical_context);
        if (context != known.clinical_context) asked.clinical_context = context;
        if (form_.urgent != known.urgent) asked.urgent = form_.urgent;
        cancellations(known);
        lines(&known);
        tubes(&asked, &known);
        to_.request.correction = std::move(asked);
        return std::move(to_);
    }

private:
    void refuse(std::string field, std::string text) { to_.errors.push_back({std::move(field), std::move(text)}); }
    bool failed(std::string_view field) const {
        return std::ranges::any_of(to_.errors, [&](const FieldError& error) { return error.field.starts_with(field); });
    }

    std::string long_text(const char* field, const std::string& typed) {
        if (typed.size() > longest_text) refuse(field, "Ce texte est trop long.");
        return trimmed(replace_all(typed, "\r\n", "\n"));
    }
    std::string short_text(const char* field, const std::string& typed) {
        if (typed.size() > longest_number) refuse(field, "Ce numéro est trop long.");
        return trimmed(typed);
    }
    bool later(const Timestamp& at) const { return knowledge_.zone.to_instant(at) > knowledge_.now + 10min; }

    // ── the patient ──

    void traits(Patient& patient) {
        auto& to = patient.traits.reveal();
        const auto& typed = form_.traits;
        const auto name = [&](const char* field, const std::string& text, bool wanted) {
            const auto said = trim(text);
            if (said.empty() && !wanted) return std::string();
            if (said.empty())
                refuse(field, "Ce champ est obligatoire.");
            else if (!is_name(said))
                refuse(field, "Des lettres, espaces, traits d'union et apostrophes seulement.");
            return normalised_name(said);
        };
        to.birth_name = name("birth_name", typed.birth_name, true);
        to.first_given_name = name("first_given_name", typed.first_given_name, true);
        to.birth_given_names = name("birth_given_names", typed.birth_given_names, false);
        if (to.birth_given_names.empty()) to.birth_given_names = to.first_given_name;
        if (!to.birth_given_names.starts_with(to.first_given_name))
            refuse("birth_given_names", "La liste des prénoms commence par le premier prénom.");
        to.used_name = name("used_name", typed.used_name, false);
        if (trim(typed.birth_date).empty())
            refuse("birth_date", "La date de naissance manque.");
        else if (to.birth_date = typed_day(typed.birth_date); !to.birth_date)
            refuse("birth_date", "Cette date n'existe pas.");
        else if (later(*to.birth_date))
            refuse("birth_date", "Cette date est à venir.");
        if (typed.sex != "F" && typed.sex != "M" && typed.sex != "U") refuse("sex", "Le sexe manque.");
        to.sex = sex_of(typed.sex);
        to.birth_place = to_upper_ascii(trim(typed.birth_place));
        const bool code = to.birth_place.size() == 5 && std::ranges::all_of(to.birth_place, [](char c) {
                              return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
                          });
        if (!to.birth_place.empty() && !code)
            refuse("birth_place", "Le code INSEE du lieu de naissance a 5 caractères.");
        if (const auto line = trimmed(typed.address); !line.empty()) to.address.lines.push_back(line);
        to.address.postal_code = trimmed(typed.postal_code);
        to.address.city = trimmed(typed.city);
        to.phone = trimmed(typed.phone);
        for (const auto* text : {&typed.address, &typed.postal_code, &typed.city, &typed.phone}) {
            if (text->size() > 200) refuse("address", "Ce texte est trop long.");
        }
        patient.local_authority_oid = knowledge_.site_oid;
    }

    // ── people ──

    std::optional<Professional> person(const std::string& field, const std::string& typed, bool with_number) {
        const auto said = trimmed(typed);
        const auto words = words_of(said);
        std::vector<const Professional*> found;
        for (const auto& known : knowledge_.people) {
            if (person_words(known) == said) return known;
            const auto text = normalised_name(person_words(known));
            const bool all = std::ranges::all_of(
                words, [&](const std::string& word) { return contains_word(text, normalised_name(word)); });
            const bool same = std::ranges::any_of(
                found, [&](const Professional* other) { return person_words(*other) == person_words(known); });
            if (all && !same) found.push_back(&known);
        }
        if (found.size() == 1) return *found.front();
        if (!found.empty()) {
            refuse(field, "Plusieurs personnes portent ce nom : précisez le prénom ou le RPPS.");
            return std::nullopt;
        }
        return written(field, words, with_number);
    }

    /// `DR NOM Prénom 10002422979`: somebody whom we do not know yet.
    std::optional<Professional> written(const std::string& field, const std::vector<std::string>& words,
                                        bool with_number) {
        Professional who;
        std::vector<std::string> names;
        bool number = false;
        for (const auto& word : words) {
            const auto upper = to_upper_ascii(word);
            if (names.empty() && (upper == "DR" || upper == "PR" || upper == "DR." || upper == "PR.")) {
                who.title = upper.substr(0, 2);
            } else if (std::ranges::any_of(word, [](char c) { return c >= '0' && c <= '9'; })) {
                number = true;
                if (const auto rpps = Rpps::parse(word)) who.rpps = *rpps;
            } else {
                names.push_back(word);
            }
        }
        if (number && who.rpps.empty()) {
            refuse(field, "Le numéro RPPS a 11 chiffres.");
            return std::nullopt;
        }
        if (with_number && who.rpps.empty()) {
            refuse(field, "Inconnu du laboratoire : choisissez dans la liste, ou écrivez NOM Prénom RPPS.");
            return std::nullopt;
        }
        if (names.empty()) {
            refuse(field, "Le nom manque.");
            return std::nullopt;
        }
        for (std::size_t i = 0; i < names.size(); ++i) {
            const auto plain = without_accents(names[i]);
            const bool capital = plain.size() > 1 && plain == to_upper_ascii(plain);
            auto& to = i == 0 || (capital && who.given.empty()) ? who.family : who.given;
            to += (to.empty() ? "" : " ") + names[i];
        }
        return who;
    }

    std::vector<Professional> copies(const std::vector<Professional>& known = {}) {
        std::vector<Professional> all;
        for (std::size_t i = 0; i < form_.copies.size(); ++i) {
            const auto said = trim(form_.copies[i]);
            if (said.empty()) continue;
            const auto kept = std::ranges::find(known, said, person_words);
            std::optional<Professional> who;
            if (kept != known.end())
                who = *kept;
            else
                who = person("copies[" + std::to_string(i + 1) + "]", form_.copies[i], true);
            const bool twice = who && std::ranges::any_of(all, [&](const Professional& other) {
                                   return person_words(other) == person_words(*who);
                               });
            if (who && !twice) all.push_back(std::move(*who));
        }
        return all;
    }

    // ── examinations ──

    void cancellations(const KnownOrder& known) {
        const auto reason = trimmed(form_.cancel_reason);
        for (const auto& placer : form_.cancelled) {
            const auto exam = std::ranges::find(known.exams, placer, &RequestedExam::placer_number);
            if (placer.empty() || exam == known.exams.end()) {
                refuse("cancelled", "Cet examen n'est pas dans le dossier.");
                continue;
            }
            LineRequest line;
            line.control = OrderControl::cancel;
            line.at = place();
            line.exam.placer_number = placer;
            line.reason = reason;
            to_.request.lines.push_back(std::move(line));
        }
        if (form_.cancelled.empty()) return;
        if (reason.empty()) refuse("cancel_reason", "Le motif de l'annulation manque.");
        if (reason.size() > 200) refuse("cancel_reason", "Ce motif est trop long.");
    }

    std::string place() const { return "ORC[" + std::to_string(to_.request.lines.size() + 1) + "]"; }

    void lines(const KnownOrder* known = nullptr) {
        for (const auto& code : form_.exams) {
            if (knowledge_.catalogue.ordered(code).empty())
                refuse("exams", "Un examen choisi n'est plus au catalogue du site.");
        }
        for (const auto& unknown : unknown_exams())
            refuse("more_exams", unknown);
        for (const auto& code : exams_of(form_, knowledge_.catalogue)) {
            if (known != nullptr && std::ranges::any_of(known->exams, [&](const RequestedExam& exam) {
                    return exam.code == code && exam.state == ExamState::requested &&
                           std::ranges::find(form_.cancelled, exam.placer_number) == form_.cancelled.end();
                })) {
                refuse("more_exams", "« " + exam_label(code, knowledge_.catalogue) + " » est déjà demandé.");
                continue;
            }
            LineRequest line;
            line.control = OrderControl::order;
            line.at = place();
            line.obr_at = replace_all(place(), "ORC", "OBR");
            line.exam.code = code;
            line.exam.label = exam_label(code, knowledge_.catalogue);
            to_.request.lines.push_back(std::move(line));
        }
    }

    std::vector<std::string> unknown_exams() const;

    // ── tubes ──

    /// A time that was left as the screen showed it stays as it is kept, to the second or to the day.
    void tubes(OrderCorrection* correction = nullptr, const KnownOrder* order = nullptr) {
        std::vector<std::string> seen;
        std::optional<Timestamp> usual;
        if (!trim(form_.collected).empty()) usual = collected("collected", form_.collected);
        for (std::size_t i = 0; i < form_.tubes.size(); ++i) {
            const auto& typed = form_.tubes[i];
            const auto field = "tubes[" + std::to_string(i + 1) + "]";
            const bool known = !typed.was.empty();
            if (!known && trim(typed.number).empty() && typed.type.empty()) {
                if (!trim(typed.collected).empty()) refuse(field + ".type", "La nature du prélèvement manque.");
                continue;
            }
            Specimen tube;
            tube.number = trimmed(typed.number);
            tube.type = typed.type;
            tube.type_label = specimen_type_label(typed.type);
            if (typed.type.empty())
                refuse(field + ".type", "La nature du prélèvement manque.");
            else if (tube.type_label.empty() && !known &&
                     types_used().end() == std::ranges::find(types_used(), tube.type))
                refuse(field + ".type", "Cette nature de prélèvement est inconnue.");
            if (known && tube.number.empty()) refuse(field + ".number", "Le numéro du prélèvement manque.");
            const bool plain =
                tube.number.size() <= longest_number && std::ranges::all_of(tube.number, [](char c) {
                    return c > ' ' && c < 0x7F && c != '|' && c != '^' && c != '&' && c != '~' && c != '\\';
                });
            if (!plain) refuse(field + ".number", "Ce numéro de prélèvement ne peut pas être un code-barres.");
            if (!tube.number.empty() && std::ranges::find(seen, tube.number) != seen.end())
                refuse(field + ".number", "Ce numéro est saisi deux fois.");
            seen.push_back(tube.number);
            if (!typed.refusal.empty() && !refused_already(order, typed)) refuse_of(typed, field, tube);
            tube.collected_at =
                trim(typed.collected).empty() ? usual : collected(field + ".collected", typed.collected);
            if (known) {
                const auto kept = std::ranges::find(order->specimens, typed.was, &Specimen::number);
                if (kept != order->specimens.end() &&
                    trim(typed.collected) == moment_words(kept->collected_at, knowledge_.zone))
                    tube.collected_at = kept->collected_at;
                correction->tubes.push_back({typed.was, std::move(tube)});
                continue;
            }
            if (tube.collected_at) tube.received_at = now();
            to_.request.order.specimens.push_back(std::move(tube));
        }
    }

    static bool refused_already(const KnownOrder* order, const TypedTube& typed) {
        if (order == nullptr) return false;
        const auto kept = std::ranges::find(order->specimens, typed.was, &Specimen::number);
        return kept != order->specimens.end() && kept->refused();
    }

    void refuse_of(const TypedTube& typed, const std::string& field, Specimen& tube) {
        tube.refusal_code = typed.refusal;
        tube.refusal = specimen_refusal_label(typed.refusal);
        if (typed.was.empty())
            refuse(field + ".refusal", "Seul un prélèvement enregistré se refuse.");
        else if (std::ranges::find(specimen_refusals(), std::string_view(typed.refusal),
                                   &std::pair<std::string_view, std::string_view>::first) == specimen_refusals().end())
            refuse(field + ".refusal", "Ce motif de refus est inconnu.");
    }

    std::vector<std::string>& types_used() {
        if (types_.empty()) {
            for (const auto& analyte : knowledge_.catalogue.analytes())
                types_.push_back(analyte.specimen);
        }
        return types_;
    }

    std::optional<Timestamp> collected(const std::string& field, const std::string& typed) {
        const auto at = typed_moment(trim(typed), knowledge_.zone);
        if (!at)
            refuse(field, "La date et l'heure du prélèvement ne se lisent pas.");
        else if (later(*at))
            refuse(field, "Ce prélèvement est à venir.");
        return at;
    }

    Timestamp now() const {
        auto at = knowledge_.zone.to_local(knowledge_.now, Precision::minute);
        at.offset_minutes = knowledge_.zone.offset_minutes(knowledge_.now);
        return at;
    }

    /// Nobody said anything of tubes: one of each kind that the examinations need, numbered by us.
    void one_tube_a_kind() {
        std::vector<std::string> codes;
        for (const auto& line : to_.request.lines)
            codes.push_back(line.exam.code);
        std::optional<Timestamp> usual;
        if (!trim(form_.collected).empty() && !failed("collected"))
            usual = typed_moment(trim(form_.collected), knowledge_.zone);
        for (const auto& type : types_of(codes, knowledge_.catalogue)) {
            Specimen tube;
            tube.type = type;
            tube.type_label = specimen_type_label(type);
            tube.collected_at = usual;
            if (usual) tube.received_at = now();
            to_.request.order.specimens.push_back(std::move(tube));
        }
    }

    const DeskForm& form_;
    const DeskKnowledge& knowledge_;
    DeskReading to_;
    std::vector<std::string> types_;
};

/// What one typed word means: codes of the catalogue; none when it is not understood, several when it is not clear.
std::vector<std::string> meaning(std::string_view typed, const Catalogue& catalogue) {
    const auto upper = to_upper_ascii(typed);
    for (const auto& text : {std::string(typed), upper}) {
        if (!catalogue.ordered(text).empty()) return {text};
    }
    if (const auto* analyte = catalogue.by_loinc(typed)) return {analyte->local_code};
    const auto wanted = normalised_name(typed);
    std::vector<std::string> same;
    std::vector<std::string> begin;
    std::vector<std::string> within;
    for (const auto& analyte : catalogue.analytes()) {
        const auto label = normalised_name(analyte.label);
        if (label == wanted) same.push_back(analyte.local_code);
        if (label.starts_with(wanted)) begin.push_back(analyte.local_code);
        if (contains_word(label, wanted)) within.push_back(analyte.local_code);
    }
    return !same.empty() ? same : !begin.empty() ? begin : within;
}

struct Understood {
    std::vector<std::string> codes;
    std::vector<std::string> errors;
};

Understood understood(std::string_view typed, const Catalogue& catalogue) {
    Understood to;
    std::string text(typed);
    std::ranges::replace(text, ';', ',');
    std::ranges::replace(text, '\n', ',');
    std::ranges::replace(text, '\r', ',');
    for (const auto part : split(text, ',')) {
        const auto word = trim(part);
        if (word.empty()) continue;
        const auto codes = meaning(word, catalogue);
        if (codes.size() == 1) {
            to.codes.push_back(codes.front());
            continue;
        }
        // "NFS IONO CRP": codes alone, with blanks between.
        std::vector<std::string> apart;
        const auto words = words_of(word);
        for (const auto& one : words) {
            for (const auto& candidate : {one, to_upper_ascii(one)}) {
                if (catalogue.ordered(candidate).empty()) continue;
                apart.push_back(candidate);
                break;
            }
        }
        if (words.size() > 1 && apart.size() == words.size()) {
            to.codes.insert(to.codes.end(), apart.begin(), apart.end());
            continue;
        }
        to.errors.push_back(
            "« " + std::string(first_characters(word, 40)) + " » " +
            (codes.empty() ? "n'est pas au catalogue du site." : "désigne plusieurs examens : précisez."));
    }
    return to;
}

std::vector<std::string> Reading::unknown_exams() const {
    return understood(form_.more_exams, knowledge_.catalogue).errors;
}

}  // namespace

std::optional<Timestamp> typed_day(std::string_view text) {
    text = trim(text);
    std::string compact;
    if (text.size() == 10 && (text[2] == '/' || text[2] == '.' || text[2] == '-') && text[5] == text[2])
        compact = std::string(text.substr(6, 4)) + std::string(text.substr(3, 2)) + std::string(text.substr(0, 2));
    else if (text.size() == 10 && text[4] == '-' && text[7] == '-')
        compact = std::string(text.substr(0, 4)) + std::string(text.substr(5, 2)) + std::string(text.substr(8, 2));
    else
        compact = std::string(text);
    if (compact.size() != 8 || !is_digits(compact)) return std::nullopt;
    const auto read = Timestamp::parse(compact);
    return read && read->year > 1850 ? std::optional(*read) : std::nullopt;
}

std::string person_words(const Professional& person) {
    std::string words;
    for (const auto& part : {person.family, person.given, person.rpps.text()}) {
        if (!part.empty()) words += (words.empty() ? "" : " ") + part;
    }
    return words;
}

std::string exam_label(std::string_view code, const Catalogue& catalogue) {
    const auto* analyte = catalogue.by_code(code);
    return analyte == nullptr ? std::string(code) : analyte->label;
}

std::vector<std::string> exams_of(const DeskForm& form, const Catalogue& catalogue) {
    std::vector<std::string> codes;
    const auto add = [&](const std::string& code) {
        if (!catalogue.ordered(code).empty() && std::ranges::find(codes, code) == codes.end()) codes.push_back(code);
    };
    for (const auto& code : form.exams)
        add(code);
    for (const auto& code : understood(form.more_exams, catalogue).codes)
        add(code);
    return codes;
}

std::vector<std::string> types_of(const std::vector<std::string>& exams, const Catalogue& catalogue) {
    std::vector<std::string> types;
    for (const auto& code : exams) {
        for (const auto* analyte : catalogue.ordered(code)) {
            if (!analyte->specimen.empty() && std::ranges::find(types, analyte->specimen) == types.end())
                types.push_back(analyte->specimen);
        }
    }
    return types;
}

DeskReading read_new(const DeskForm& form, const DeskKnowledge& knowledge) {
    return Reading(form, knowledge).fresh();
}

DeskReading read_correction(const DeskForm& form, const KnownOrder& order, const DeskKnowledge& knowledge) {
    return Reading(form, knowledge).correction(order);
}

DeskForm form_of(const KnownOrder& order, const TimeZone& zone) {
    DeskForm form;
    form.prescriber = person_words(order.prescriber);
    for (const auto& copy : order.copies)
        form.copies.push_back(person_words(copy));
    form.clinical_context = order.clinical_context;
    form.urgent = order.urgent;
    for (const auto& tube : order.specimens)
        form.tubes.push_back(
            {tube.number, tube.number, tube.type, moment_words(tube.collected_at, zone), tube.refusal_code});
    return form;
}

std::vector<FieldError> field_errors(const DeskForm& form, const DeskRequest& request, const DeskDecision& decision) {
    std::vector<FieldError> errors;
    const auto say = [&](std::string field, const LineOutcome& outcome) {
        FieldError error{std::move(field), std::string(french(outcome.refusal)) + "."};
        if (std::ranges::find(errors, error) == errors.end()) errors.push_back(std::move(error));
    };
    for (std::size_t i = 0; i < decision.lines.size() && i < request.lines.size(); ++i) {
        const auto& outcome = decision.lines[i];
        switch (outcome.refusal) {
            case LineRefusal::none:
                break;
            case LineRefusal::tube_of_another:
            case LineRefusal::two_orders:
                say("tubes", outcome);
                break;
            case LineRefusal::identity:
            case LineRefusal::other_patient:
                say("patient", outcome);
                break;
            case LineRefusal::no_examination:
            case LineRefusal::no_number:
            case LineRefusal::unknown_number:
            case LineRefusal::known_number:
            case LineRefusal::has_results:
            case LineRefusal::validated:
            case LineRefusal::cancelled_already:
            case LineRefusal::not_replaced:
            case LineRefusal::refused_replacement:
            case LineRefusal::unsupported:
            case LineRefusal::not_a_request:
            case LineRefusal::charset:
                say(request.lines[i].control == OrderControl::cancel ? "cancelled" : "more_exams", outcome);
                break;
        }
    }
    // The tubes of the request are those of the form that say something, known ones first.
    std::vector<std::size_t> known;
    std::vector<std::size_t> fresh;
    for (std::size_t i = 0; i < form.tubes.size(); ++i) {
        const auto& tube = form.tubes[i];
        if (!tube.was.empty())
            known.push_back(i);
        else if (!trim(tube.number).empty() || !tube.type.empty())
            fresh.push_back(i);
    }
    known.insert(known.end(), fresh.begin(), fresh.end());
    for (const auto& outcome : decision.corrections) {
        if (!outcome.coordinate.starts_with("SPM[")) {
            say("order", outcome);
            continue;
        }
        const auto at = static_cast<std::size_t>(std::stoul(outcome.coordinate.substr(4)));
        say(at >= 1 && at <= known.size() ? "tubes[" + std::to_string(known[at - 1] + 1) + "].number" : "tubes",
            outcome);
    }
    return errors;
}

}  // namespace sgl::domain
