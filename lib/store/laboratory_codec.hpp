// The JSON definitions of the laboratory's tables. Reading gives the default of what an older row does not have.
#pragma once

#include <string>

#include "lib/domain/laboratory.hpp"
#include "lib/store/codec.hpp"

namespace sgl::store::codec {

json::value to_json(const domain::LegalEntity& entity);
json::value to_json(const domain::Site& site);
json::value to_json(const domain::Link& link);
json::value to_json(const domain::Correspondent& correspondent);
json::value to_json(const domain::Analyte& analyte);

// Identifiers, and what has a column of its own (FINESS, name, local code), are set by the caller.
domain::LegalEntity legal_entity(const json::value& value);
domain::Site site(const json::value& value);
domain::Link link(const json::value& value);
domain::Correspondent correspondent(const json::value& value);
domain::Analyte analyte(const json::value& value);

}  // namespace sgl::store::codec
