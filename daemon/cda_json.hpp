// A document that was read, as JSON: what `sgld cda read` prints. What is absent is left out.
#pragma once

#include <boost/json/value.hpp>

#include "cda/read.hpp"

namespace sgl::daemon {

boost::json::value cda_json(const cda::received::Document& document);

}  // namespace sgl::daemon
