#include "lib/interpret/admission.hpp"

#include <algorithm>

namespace sgl::interpret {

namespace {

Refusal refuse(std::string answer, std::string code, unsigned field, std::string what) {
    const auto number = std::to_string(field);
    return {std::move(answer), std::move(code), "MSH^1^" + number, std::move(what), "MSH-" + number};
}

}  // namespace

bool may_speak(const hl7::Message& message, const domain::Link& link) {
    if (link.allowed_senders.empty()) return true;
    const domain::Link::Sender sender{message.header().text(3), message.header().text(4)};
    return std::ranges::find(link.allowed_senders, sender) != link.allowed_senders.end();
}

Admission admit(const hl7::Message& message, const domain::Link& link) {
    // SEC-03: who speaks on this link may not claim to be somebody else.
    if (!may_speak(message, link))
        return {Kind::results, refuse("AR", "207", 3, "this sender is not allowed on this link")};
    const auto type = message.type();
    const auto trigger = message.trigger();
    if (type.empty()) return {Kind::results, refuse("AE", "101", 9, "the message type is missing")};
    if (!link.message_types.empty() &&
        std::ranges::find(link.message_types, type + "^" + trigger) == link.message_types.end()) {
        return {Kind::results, refuse("AR", "200", 9, "this link does not take messages of this type")};
    }
    const auto version = message.version();
    if (!version.starts_with("2.")) return {Kind::results, refuse("AR", "203", 12, "only HL7 version 2 is supported")};
    // Mindray and others send Q in MSH-11 for quality control (hl7v2-lab 6.5); the results room sets those aside.
    const auto processing = message.processing_id();
    if (processing != link.processing_id && !(processing == "Q" && type == "ORU") && !processing.empty()) {
        return {Kind::results,
                refuse("AR", "202", 11, "this link takes processing id " + link.processing_id + " only")};
    }
    // Results as analysers and point-of-care devices send them (hl7v2-lab 1, flow A; LAB-29, LAB-32).
    if (type == "ORU") {
        if (trigger == "R01" || trigger == "R30" || trigger == "R31" || trigger == "R32")
            return {Kind::results, std::nullopt};
        return {Kind::results,
                refuse("AR", "201", 9, "of ORU only R01, R30, R31 and R32 are supported in this version")};
    }
    if (type == "OUL") {
        if (trigger == "R22" || trigger == "R23" || trigger == "R24") return {Kind::results, std::nullopt};
        return {Kind::results, refuse("AR", "201", 9, "of OUL only R22, R23 and R24 are supported in this version")};
    }
    if (type == "OML" || type == "ORM") {
        const bool known = type == "OML" ? trigger == "O21" || trigger == "O33" || trigger == "O35" : trigger == "O01";
        if (!known)
            return {Kind::order, refuse("AR", "201", 9, "of orders OML^O21, O33, O35 and ORM^O01 are supported")};
        if (!link.order_source || !link.identity_source) {
            return {Kind::order, refuse("AR", "207", 9, "this link is not a source of orders and identities")};
        }
        return {Kind::order, std::nullopt};
    }
    if (type == "ADT") {
        if (!link.identity_source) {
            return {Kind::identity, refuse("AR", "207", 9, "this link is not a source of identities")};
        }
        return {Kind::identity, std::nullopt};  // events that we do not follow are taken, too (hl7v2-lab 9.1)
    }
    const bool query = type == "QBP" && (trigger == "Q11" || trigger == "WOS" || trigger == "Z01" || trigger == "Z03");
    if (query || (type == "QCN" && trigger == "J01")) {
        const Kind kind = query ? Kind::query : Kind::query_cancelled;
        if (link.work_orders == domain::Link::WorkOrders::none)
            return {kind, refuse("AR", "200", 9, "this link gives no work orders")};
        return {kind, std::nullopt};
    }
    return {Kind::results, refuse("AR", "200", 9, "this message type is not supported in this version")};
}

}  // namespace sgl::interpret
