// The console's files, embedded when building: one stylesheet, one small script, the API's description.
#pragma once

#include <string>
#include <string_view>

namespace sgl::web::assets {

extern const std::string_view stylesheet;
extern const std::string_view script;
extern const std::string_view openapi;

/// With a digest of the content, so that browsers may keep them for ever.
const std::string& stylesheet_path();
const std::string& script_path();

}  // namespace sgl::web::assets
