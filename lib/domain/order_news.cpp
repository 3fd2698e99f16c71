#include "lib/domain/order_news.hpp"

namespace sgl::domain {

std::vector<OrderNews> news_of(const KnownOrder* before, const KnownOrder& after) {
    using enum OrderNews::What;
    std::vector<OrderNews> news;
    for (std::size_t i = 0; i < after.exams.size(); ++i) {
        const auto& exam = after.exams[i];
        const bool known = before != nullptr && i < before->exams.size();
        if (known && before->exams[i].state == exam.state) continue;
        switch (exam.state) {
            case ExamState::requested:
                news.push_back({added, exam});
                break;
            case ExamState::not_done:
                news.push_back({not_done, exam});
                break;
            case ExamState::cancelled:
            case ExamState::replaced:
                if (known) news.push_back({cancelled, exam});
                break;
        }
    }
    return news;
}

}  // namespace sgl::domain
