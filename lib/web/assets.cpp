#include "lib/web/assets.hpp"

#include "lib/base/digest.hpp"

namespace sgl::web::assets {

namespace {
std::string versioned(std::string_view path, std::string_view content) {
    return std::string(path) + "?v=" + to_hex(sha256(content)).substr(0, 12);
}
}  // namespace

const std::string& stylesheet_path() {
    static const std::string path = versioned("/assets/console.css", stylesheet);
    return path;
}

const std::string& script_path() {
    static const std::string path = versioned("/assets/console.js", script);
    return path;
}

}  // namespace sgl::web::assets
