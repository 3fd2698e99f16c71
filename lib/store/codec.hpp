// The JSON form in which parts of the domain are kept in jsonb columns. Reading is strict about types and tolerant
// about absent members, so that older rows stay readable.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "lib/domain/report_lines.hpp"
#include "lib/domain/result_detail.hpp"

namespace sgl::store::codec {

namespace json = boost::json;

json::value to_json(const domain::Address& address);
domain::Address address(const json::value& value);
json::value to_json(const domain::Professional& person);
domain::Professional professional(const json::value& value);
json::value to_json(const domain::RequestedExam& exam);
domain::RequestedExam exam(const json::value& value);
json::value to_json(const domain::PriorResult& prior);
domain::PriorResult prior_result(const json::value& value);
json::value to_json(const domain::Value& value);
domain::Value value(const json::value& stored);
/// Members that say nothing are left out.
json::value to_json(const domain::ResultDetail& detail);
domain::ResultDetail result_detail(const json::value& value);
json::value to_json(const domain::ReportedResult& result);
domain::ReportedResult reported_result(const json::value& value);
/// All but the result's id, which has a column.
json::value to_json(const domain::ReportedLine& line);
domain::ReportedLine reported_line(const json::value& value);
json::value to_json(const std::vector<domain::Awaited>& awaited);
std::vector<domain::Awaited> awaited(const json::value& value);
/// The identity that was signed: traits, INS, status, choices.
json::value to_json(const domain::Patient& patient);
domain::Patient patient(const json::value& value);

/// Columns `comparator, value, value_system, unit, value_kind` of a result row.
struct ValueColumns {
    std::string kind;  ///< q, c, t or n
    std::string comparator;
    std::string value;
    std::string system;
    std::string unit;
};
ValueColumns columns(const std::optional<domain::Value>& value);

json::value parse(std::string_view text);  ///< throws std::runtime_error: what we wrote ourselves is not JSON any more
std::string text(const json::value& value);
std::string member(const json::value& value, std::string_view name);  ///< string member, empty when absent

}  // namespace sgl::store::codec
