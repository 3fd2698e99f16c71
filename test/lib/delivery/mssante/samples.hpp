// Letters and partners of the mail channel's tests.
#pragma once

#include <string>

#include "lib/delivery/channel.hpp"
#include "lib/delivery/partners.hpp"

namespace sgl::test {

inline delivery::Letter letter(domain::Channel channel, std::string_view id = "018e4b5e-7a10-7c3f-9d21-00000000aa01") {
    delivery::Letter letter;
    letter.id = domain::LetterId{Uuid::parse(id).value()};
    letter.channel = channel;
    const bool patient = channel == domain::Channel::mss_patient;
    letter.address = Personal<std::string>(patient ? "279035121518989@patient.mssante.fr" : "paul.medecin@medecin-test.mssante.fr");
    letter.sent_at = parse_iso8601("2026-03-15T10:03:00Z").value();
    return letter;
}

inline delivery::MssPartner operator_partner() {
    delivery::MssPartner partner;
    partner.host = "localhost";
    partner.from_address = "resultats@labo-alpes-test.mssante.fr";
    partner.from_label = "Laboratoire des Deux Rives – Résultats";
    partner.reply_to = "secretariat@labo-alpes-test.mssante.fr";
    partner.timeout = std::chrono::seconds(10);
    return partner;
}

}  // namespace sgl::test
