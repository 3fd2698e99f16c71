#include "lib/domain/microbiology.hpp"

#include <algorithm>
#include <map>

namespace sgl::domain {

namespace {

Susceptibility susceptibility(const CultureLine& line) {
    Susceptibility made;
    made.result = line.result;
    made.code = line.code;
    made.label = line.label;
    made.answer = line.detail.susceptible;
    made.breakpoints = line.detail.breakpoints;
    made.method = line.detail.method;
    made.printed = !line.detail.unprinted;
    if (line.value) {
        if (const auto* quantity = std::get_if<Quantity>(&*line.value))
            (quantity->unit == "mm" ? made.diameter : made.concentration) = *quantity;
    }
    return made;
}

}  // namespace

std::vector<Isolate> isolates(const std::vector<CultureLine>& lines) {
    std::map<std::string, Isolate> found;
    for (const auto& line : lines) {
        if (line.isolate.empty()) continue;
        auto& isolate = found[line.isolate];
        isolate.number = line.isolate;
        if (line.kind == ValueKind::organism) {
            isolate.result = line.result;
            isolate.organism = line.value;
            isolate.status = line.status;
            isolate.note = line.note;
        } else if (line.kind == ValueKind::antibiotic) {
            isolate.susceptibilities.push_back(susceptibility(line));
        } else {
            isolate.findings.push_back({line.result, line.kind, line.code, line.label, line.value});
        }
    }
    std::vector<Isolate> all;
    all.reserve(found.size());
    for (auto& [number, isolate] : found)
        all.push_back(std::move(isolate));
    return all;
}

}  // namespace sgl::domain
