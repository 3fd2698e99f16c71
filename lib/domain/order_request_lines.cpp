// What a request is before anybody decides it: its lines, and the numbers that the desk leaves to us.
#include <algorithm>

#include "lib/domain/order_correction.hpp"

namespace sgl::domain {

bool orders_something(OrderControl control) {
    switch (control) {
        using enum OrderControl;
        case order:
        case replace:
        case replacement:
        case change:
        case send_number:
        case child:
            return true;
        case cancel:
        case number:
        case status:
        case ask_status:
        case parent:
        case discontinue:
        case hold:
        case release:
        case other:
            return false;
    }
    return false;
}

bool OrderRequest::orders_something() const {
    return std::ranges::any_of(lines, [](const LineRequest& line) { return domain::orders_something(line.control); });
}

void give_numbers(DeskRequest& request, const std::string& number, const Catalogue& catalogue) {
    auto& order = request.order;
    std::size_t tube = 0;
    for (auto& specimen : order.specimens) {
        if (!specimen.number.empty()) continue;
        ++tube;
        specimen.number = number + (tube < 10 ? "0" : "") + std::to_string(tube);
    }
    if (order.group_number.empty()) order.group_number = number;
    std::size_t count = 0;
    for (auto& line : request.lines) {
        if (line.control != OrderControl::order) continue;
        line.group = order.group_number;
        line.filler = request.correction ? request.correction->number : number;
        line.exam.placer_number = number + "-" + std::to_string(++count);
        line.exam.filler_number = line.exam.placer_number;  // whoever requests may give his own to it later
        std::vector<std::string> of_its_kind;
        std::vector<std::string> all;
        for (const auto& specimen : order.specimens) {
            const bool made_from = std::ranges::any_of(catalogue.ordered(line.exam.code), [&](const Analyte* analyte) {
                return analyte->specimen == specimen.type;
            });
            if (made_from) of_its_kind.push_back(specimen.number);
            all.push_back(specimen.number);
        }
        line.exam.specimens = of_its_kind.empty() ? all : of_its_kind;
    }
}

OrderRequest request_of(NewOrder order) {
    OrderRequest request;
    for (std::size_t i = 0; i < order.exams.size(); ++i) {
        LineRequest line;
        line.control = OrderControl::order;
        line.at = "ORC[" + std::to_string(i + 1) + "]";
        line.obr_at = "OBR[" + std::to_string(i + 1) + "]";
        line.group = order.group_number;
        line.filler = order.filler_number;
        line.exam = order.exams[i];
        request.lines.push_back(std::move(line));
    }
    order.exams.clear();
    request.order = std::move(order);
    return request;
}

}  // namespace sgl::domain
