// The desk: what a secretary types of an order, and what it means. Pure: typed texts go in, the same request comes
// out that a message of the prescriber gives, with a French sentence at each field that can't be understood.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/domain/order_correction.hpp"

namespace sgl::domain {

/// Traits as typed; of a new patient only.
struct TypedTraits {
    std::string birth_name;
    std::string first_given_name;
    std::string birth_given_names;  ///< all of them; empty: the first one alone
    std::string used_name;
    std::string birth_date;   ///< `1979-03-28`, `28/03/1979`, `19790328`
    std::string sex;          ///< F, M, U
    std::string birth_place;  ///< INSEE code
    std::string address;
    std::string postal_code;
    std::string city;
    std::string phone;
};

struct TypedTube {
    std::string was;        ///< of a correction: its number so far; empty: a new one
    std::string number;     ///< barcode; empty: we give one
    std::string type;       ///< code of specimen_types()
    std::string collected;  ///< `2026-11-22T08:15`; empty: as DeskForm::collected
    std::string refusal{};  ///< of a correction: code of specimen_refusals(); empty: it is accepted
};

/// A screen of the desk as it was typed, so that nothing of it is lost by a refusal.
struct DeskForm {
    std::optional<PatientId> patient;  ///< none: a new one, by his traits
    TypedTraits traits;
    bool homonym{};          ///< somebody else has his name and birth date, and he is another person
    std::string prescriber;  ///< as person_words() writes it, some words of it, or `NOM Prénom RPPS`
    std::vector<std::string> copies;
    std::string collector;      ///< `NOM Prénom`
    std::string prescribed_on;  ///< `2026-11-22`
    std::string stay_number;
    std::string clinical_context;
    bool urgent{};
    std::vector<std::string> exams;  ///< codes that were chosen before
    std::string more_exams;          ///< codes, labels or LOINC, with commas between
    std::vector<TypedTube> tubes;    ///< those without any text are no tubes
    std::string collected;           ///< of all tubes that say nothing else
    // Of a correction:
    std::vector<std::string> cancelled;  ///< placer numbers of examinations
    std::string cancel_reason;
};

/// A sentence for the field of that name: `prescriber`, `more_exams`, `tubes[2].number`.
struct FieldError {
    std::string field;
    std::string text;  ///< French, without what was typed
    bool operator==(const FieldError&) const = default;
};

/// What a typed text can be compared with.
struct DeskKnowledge {
    const Catalogue& catalogue;
    const std::vector<Professional>& people;  ///< prescribers and correspondents
    std::string site_oid;                     ///< assigning authority of the numbers that we give
    TimeZone zone{TimeZone::paris()};
    Instant now;
};

struct DeskReading {
    DeskRequest request;  ///< its numbers are given later (give_numbers)
    std::vector<FieldError> errors;
};

/// A new order: a known patient is set by whoever knows him.
DeskReading read_new(const DeskForm& form, const DeskKnowledge& knowledge);
/// A correction of `order`: what differs from it.
DeskReading read_correction(const DeskForm& form, const KnownOrder& order, const DeskKnowledge& knowledge);
/// The screen that corrects an order, as it is now.
DeskForm form_of(const KnownOrder& order, const TimeZone& zone);

/// Codes that the typed examinations mean: those chosen, then those of `more_exams` that are understood.
std::vector<std::string> exams_of(const DeskForm& form, const Catalogue& catalogue);
/// Specimen types that examinations are made from, each once.
std::vector<std::string> types_of(const std::vector<std::string>& exams, const Catalogue& catalogue);
/// Label of an analysis; of a panel its code.
std::string exam_label(std::string_view code, const Catalogue& catalogue);

/// `MEDECIN Alice 10002422979`: how a person is written in the fields of the desk.
std::string person_words(const Professional& person);

/// Refusals of a decision as sentences at the fields of the form that was typed.
std::vector<FieldError> field_errors(const DeskForm& form, const DeskRequest& request, const DeskDecision& decision);

/// A day as people type it: `28/03/1979`, `1979-03-28`, `19790328`.
std::optional<Timestamp> typed_day(std::string_view text);

}  // namespace sgl::domain
