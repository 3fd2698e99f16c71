// The JSON API's view of what was read; described in assets/openapi.json.
#pragma once

#include <boost/json/value.hpp>

#include "lib/store/console.hpp"
#include "lib/web/commands.hpp"
#include "lib/web/desk.hpp"

namespace sgl::web::api {

namespace json = boost::json;

json::value to_json(const store::User& user);
json::value to_json(const store::Worklist& list);
json::value to_json(const store::OrderView& order);
json::value to_json(const Draft& draft);
json::value to_json(const std::vector<store::RulesLine>& sets);
json::value to_json(const store::ReportView& report);
json::value to_json(const store::LetterLine& letter);
json::value to_json(const store::Letters& letters);
json::value to_json(const store::WorkItems& items);
json::value to_json(const Account& account);
json::value to_json(const ValidationDone& done);
json::value to_json(const domain::Patient& patient);
json::value to_json(const store::PatientFile& file);
json::value to_json(const Error& error);

}  // namespace sgl::web::api
