// The words of HTTP that server and client share.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sgl::net {

/// Name and value pairs in their order; a name may come several times.
using Pairs = std::vector<std::pair<std::string, std::string>>;

class Headers {
public:
    Headers() = default;
    Headers(std::initializer_list<Pairs::value_type> list) : list_(list) {}

    void add(std::string name, std::string value) { list_.emplace_back(std::move(name), std::move(value)); }
    /// The first of that name, whatever its case.
    std::optional<std::string_view> find(std::string_view name) const;
    std::size_t count(std::string_view name) const;

    auto begin() const { return list_.begin(); }
    auto end() const { return list_.end(); }
    std::size_t size() const { return list_.size(); }

private:
    Pairs list_;
};

/// Does not look at case, ASCII only.
bool same_header_name(std::string_view a, std::string_view b);

/// `a=1&b=deux+mots` of a query or a form (application/x-www-form-urlencoded). Nothing when an escape is broken, when a
/// decoded text is no UTF-8 or holds a NUL.
std::optional<Pairs> parse_form(std::string_view text);

/// The first value of that name.
std::optional<std::string_view> find_value(const Pairs& pairs, std::string_view name);

}  // namespace sgl::net
