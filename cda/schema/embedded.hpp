// The bytes of our schemas, embedded when building (cda/schema/embed.cmake).
#pragma once

#include <string_view>

namespace sgl::cda::schema {

extern const std::string_view cr_bio;  ///< cr_bio.xsd
extern const std::string_view lab;     ///< lab.xsd, imported by it

}  // namespace sgl::cda::schema
