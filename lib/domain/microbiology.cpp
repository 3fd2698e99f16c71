#include "lib/domain/microbiology.hpp"

namespace sgl::domain {

std::string_view to_french(Susceptible answer) {
    switch (answer) {
        case Susceptible::standard:
            return "Sensible";
        case Susceptible::increased_exposure:
            return "Sensible à forte posologie";
        case Susceptible::resistant:
            return "Résistant";
        case Susceptible::dose_dependent:
            return "Sensible selon la dose";
        case Susceptible::non_susceptible:
            return "Non sensible";
        case Susceptible::unclear:
            return "Preuves insuffisantes";
    }
    return "";
}

}  // namespace sgl::domain
