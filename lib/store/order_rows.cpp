#include "lib/store/order_rows.hpp"

#include <boost/json/array.hpp>
#include <stdexcept>

#include "lib/store/codec.hpp"

namespace sgl::store::rows {

domain::Patient patient(const pg::Row& row, int at) {
    domain::Patient patient;
    patient.id = domain::PatientId{row.uuid(at)};
    patient.local_authority_oid = row.string(at + 1);
    patient.local_id = row.string(at + 2);
    auto& traits = patient.traits.reveal();
    traits.birth_name = row.string(at + 3);
    traits.birth_given_names = row.string(at + 4);
    traits.first_given_name = row.string(at + 5);
    traits.used_name = row.string(at + 6);
    traits.used_given_name = row.string(at + 7);
    traits.birth_date = timestamp(row.text(at + 8));
    traits.sex = domain::sex_of(row.text(at + 9));
    traits.birth_place = row.string(at + 10);
    if (!row.is_null(at + 11)) {
        const auto matricule = domain::InsMatricule::parse(row.text(at + 11));
        if (!matricule) throw std::runtime_error("a stored INS can't be read");
        domain::Ins ins{*matricule, row.string(at + 12)};
        patient.ins = Personal<domain::Ins>{std::move(ins)};
    }
    patient.status = domain::identity_status_of(row.text(at + 13)).value_or(domain::IdentityStatus::provisional);
    patient.doubtful = row.boolean(at + 14);
    patient.fictitious = row.boolean(at + 15);
    return patient;
}

std::optional<Timestamp> timestamp(std::string_view text) {
    if (text.empty()) return std::nullopt;
    const auto parsed = Timestamp::parse(text);
    if (!parsed) throw std::runtime_error("a stored timestamp can't be read");
    return *parsed;
}

std::vector<domain::RequestedExam> exams(std::string_view json) {
    std::vector<domain::RequestedExam> exams;
    const auto parsed = codec::parse(json);
    for (const auto& exam : parsed.as_array())
        exams.push_back(codec::exam(exam));
    return exams;
}

std::vector<domain::Professional> people(std::string_view json) {
    std::vector<domain::Professional> people;
    const auto parsed = codec::parse(json);
    for (const auto& person : parsed.as_array())
        people.push_back(codec::professional(person));
    return people;
}

domain::Specimen specimen(const pg::Row& row) {
    domain::Specimen specimen;
    specimen.id = domain::SpecimenId{row.uuid(0)};
    specimen.number = row.string(1);
    specimen.type = row.string(2);
    specimen.type_label = row.string(3);
    specimen.collected_at = timestamp(row.text(4));
    specimen.received_at = timestamp(row.text(5));
    specimen.refusal_code = row.string(6);
    specimen.refusal = row.string(7);
    return specimen;
}

std::vector<domain::Specimen> specimens(const pg::Rows& rows) {
    std::vector<domain::Specimen> specimens;
    for (const auto row : rows)
        specimens.push_back(specimen(row));
    return specimens;
}

}  // namespace sgl::store::rows
