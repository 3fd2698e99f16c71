// Why a line of an order is not taken: for the answer, its sender (French) and the log (English).
#include "lib/domain/order_request.hpp"

namespace sgl::domain {

std::string_view to_string(LineRefusal refusal) {
    switch (refusal) {
        case LineRefusal::none:
            return "none";
        case LineRefusal::no_examination:
            return "no_examination";
        case LineRefusal::no_number:
            return "no_number";
        case LineRefusal::unknown_number:
            return "unknown_number";
        case LineRefusal::known_number:
            return "known_number";
        case LineRefusal::other_patient:
            return "other_patient";
        case LineRefusal::tube_of_another:
            return "tube_of_another";
        case LineRefusal::two_orders:
            return "two_orders";
        case LineRefusal::has_results:
            return "has_results";
        case LineRefusal::validated:
            return "validated";
        case LineRefusal::cancelled_already:
            return "cancelled_already";
        case LineRefusal::not_replaced:
            return "not_replaced";
        case LineRefusal::refused_replacement:
            return "refused_replacement";
        case LineRefusal::unsupported:
            return "unsupported";
        case LineRefusal::not_a_request:
            return "not_a_request";
        case LineRefusal::charset:
            return "charset";
        case LineRefusal::identity:
            return "identity";
    }
    return "";
}

std::string_view french(LineRefusal refusal) {
    switch (refusal) {
        case LineRefusal::none:
            return "";
        case LineRefusal::no_examination:
            return "L'examen demandé manque";
        case LineRefusal::no_number:
            return "Le numéro de demande manque";
        case LineRefusal::unknown_number:
            return "Demande inconnue du laboratoire";
        case LineRefusal::known_number:
            return "Ce numéro de demande existe déjà";
        case LineRefusal::other_patient:
            return "Ce numéro de demande est celui d'un autre patient";
        case LineRefusal::tube_of_another:
            return "Ce numéro de prélèvement est celui d'un autre patient";
        case LineRefusal::two_orders:
            return "Ces prélèvements appartiennent à deux dossiers";
        case LineRefusal::has_results:
            return "Analyse déjà réalisée : appeler le laboratoire";
        case LineRefusal::validated:
            return "Dossier déjà validé : appeler le laboratoire";
        case LineRefusal::cancelled_already:
            return "Demande déjà annulée ou remplacée";
        case LineRefusal::not_replaced:
            return "La demande à remplacer ne l'a pas été";
        case LineRefusal::refused_replacement:
            return "La demande de remplacement ne peut être acceptée";
        case LineRefusal::unsupported:
            return "Acte non pris en charge : annuler ou modifier la demande";
        case LineRefusal::not_a_request:
            return "Ce n'est pas une demande";
        case LineRefusal::charset:
            return "Caractères illisibles dans le message";
        case LineRefusal::identity:
            return "Identité du patient refusée : appeler le laboratoire";
    }
    return "";
}

std::string_view english(LineRefusal refusal) {
    switch (refusal) {
        case LineRefusal::none:
            return "";
        case LineRefusal::no_examination:
            return "the examination is missing";
        case LineRefusal::no_number:
            return "the placer order number is missing";
        case LineRefusal::unknown_number:
            return "no order of the site has this number";
        case LineRefusal::known_number:
            return "this number already belongs to another order of the site";
        case LineRefusal::other_patient:
            return "the order with this number is not of this patient";
        case LineRefusal::tube_of_another:
            return "this number already belongs to a specimen of another patient";
        case LineRefusal::two_orders:
            return "the specimens of this line belong to two orders";
        case LineRefusal::has_results:
            return "results are there already: a person decides";
        case LineRefusal::validated:
            return "a biologist has validated the order: a person decides";
        case LineRefusal::cancelled_already:
            return "the order was cancelled or replaced before";
        case LineRefusal::not_replaced:
            return "what this order would replace was not replaced";
        case LineRefusal::refused_replacement:
            return "the replacing order can't be accepted";
        case LineRefusal::unsupported:
            return "this order control is not supported: cancel or change the order";
        case LineRefusal::not_a_request:
            return "this order control asks for nothing";
        case LineRefusal::charset:
            return "the bytes are not in the declared character set";
        case LineRefusal::identity:
            return "the patient of the order is not accepted";
    }
    return "";
}

}  // namespace sgl::domain
