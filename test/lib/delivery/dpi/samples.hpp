// Letters and partners of the tests of the channel to hospital records.
#pragma once

#include <string>

#include "lib/delivery/channel.hpp"
#include "lib/delivery/partners.hpp"

namespace sgl::test {

inline delivery::Letter dpi_letter(std::string_view id = "018e4b5e-7a10-7c3f-9d21-00000000bb01") {
    delivery::Letter letter;
    letter.id = domain::LetterId{Uuid::parse(id).value()};
    letter.channel = domain::Channel::dpi;
    letter.sent_at = parse_iso8601("2026-03-15T10:03:00Z").value();
    return letter;
}

inline delivery::DpiPartner hospital() {
    delivery::DpiPartner partner;
    partner.host = "127.0.0.1";
    partner.sending_facility = "LABO-TEST";
    partner.receiving_application = "DPI";
    partner.receiving_facility = "CH-TEST";
    partner.processing_id = "T";
    partner.connect_timeout = std::chrono::seconds(10);
    partner.answer_timeout = std::chrono::seconds(10);
    return partner;
}

}  // namespace sgl::test
