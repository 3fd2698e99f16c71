// What the stores read alike: the patient, the specimens and the examinations of an order, from their columns.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "lib/domain/order.hpp"
#include "lib/store/pg/rows.hpp"

/// The columns that rows::patient reads, of a table named p. A macro, because SQL is put together by the compiler only.
#define SGL_PATIENT_COLUMNS                                                                                     \
    "p.id, p.local_authority, p.local_id, p.birth_name, p.birth_given_names, p.first_given_name, p.used_name, " \
    "p.used_given_name, p.birth_date, p.sex, p.birth_place, p.ins_matricule, p.ins_oid, p.status, p.doubtful, " \
    "p.fictitious"

namespace sgl::store::rows {

inline constexpr int patient_columns = 16;

/// Without address, phone and choices. Throws std::runtime_error when a stored identifier can't be read.
domain::Patient patient(const pg::Row& row, int at);
/// HL7 form; nothing when empty. Throws as above.
std::optional<Timestamp> timestamp(std::string_view text);
std::vector<domain::RequestedExam> exams(std::string_view json);
std::vector<domain::Professional> people(std::string_view json);
/// Columns id, number, type, type_label, collected_at, received_at, refusal_code, refusal.
domain::Specimen specimen(const pg::Row& row);
std::vector<domain::Specimen> specimens(const pg::Rows& rows);

}  // namespace sgl::store::rows
