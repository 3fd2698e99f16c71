#include "lib/domain/result_detail.hpp"

namespace sgl::domain {

std::string_view to_string(Susceptible answer) {
    switch (answer) {
        case Susceptible::standard:
            return "S";
        case Susceptible::increased_exposure:
            return "I";
        case Susceptible::resistant:
            return "R";
        case Susceptible::dose_dependent:
            return "SDD";
        case Susceptible::non_susceptible:
            return "NS";
        case Susceptible::unclear:
            return "IE";
    }
    return "";
}

std::optional<Susceptible> susceptible_of(std::string_view code) {
    using enum Susceptible;
    for (const auto answer : {standard, increased_exposure, resistant, dose_dependent, non_susceptible, unclear})
        if (to_string(answer) == code) return answer;
    return std::nullopt;
}

std::string_view to_string(DocumentForm form) {
    switch (form) {
        case DocumentForm::pdf:
            return "application/pdf";
        case DocumentForm::jpeg:
            return "image/jpeg";
        case DocumentForm::png:
            return "image/png";
        case DocumentForm::bmp:
            return "image/bmp";
    }
    return "";
}

}  // namespace sgl::domain
