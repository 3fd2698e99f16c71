#include "daemon/channels.hpp"

#include "lib/delivery/dmp/channel.hpp"
#include "lib/delivery/dpi/channel.hpp"
#include "lib/delivery/mssante/channel.hpp"
#include "lib/delivery/partners.hpp"

namespace sgl::daemon {

namespace {

const domain::Partner* partner_for(const store::LeasedLetter& letter, const domain::Laboratory& laboratory) {
    if (letter.partner) return laboratory.partner(*letter.partner);
    const auto kind = letter.channel == domain::Channel::dmp ? domain::PartnerKind::dmp : domain::PartnerKind::mss;
    for (const auto* partner : laboratory.partners_of(letter.legal_entity, kind)) {
        if (partner->active) return partner;
    }
    return nullptr;
}

}  // namespace

Result<std::shared_ptr<delivery::Channel>> Channels::of(const store::LeasedLetter& letter,
                                                        const domain::Laboratory& laboratory) {
    const auto* partner = partner_for(letter, laboratory);
    if (partner == nullptr || !partner->active)
        return Error{Fault::missing, "partner", "no partner is configured for this channel"};
    auto& made = made_[partner->id.value()];
    if (!made.channel || made.definition != partner->definition) {
        auto channel = make(*partner);
        if (!channel) return channel.error();
        made = {partner->definition, std::move(*channel)};
    }
    return made.channel;
}

Result<std::shared_ptr<delivery::Channel>> Channels::make(const domain::Partner& partner) const {
    const auto resolve = [this](std::string& name) {
        if (!name.empty()) name = config::credential(settings_, name);
    };
    const auto refuse = [](const Error& error) { return Error{Fault::unavailable, error.where, error.what}; };
    switch (partner.kind) {
        case domain::PartnerKind::dmp: {
            auto definition = delivery::dmp_partner(partner.definition);
            if (!definition) return refuse(definition.error());
            for (auto* file : {&definition->ca, &definition->tls_certificate, &definition->tls_key,
                               &definition->sign_certificate, &definition->sign_key}) {
                resolve(*file);
            }
            if (definition->lps_version.empty()) definition->lps_version = SGL_VERSION;
            auto channel = dmp::DmpChannel::make(executor_, *definition, clock_);
            if (!channel) return refuse(channel.error());
            return std::shared_ptr<delivery::Channel>(std::move(*channel));
        }
        case domain::PartnerKind::mss: {
            auto definition = delivery::mss_partner(partner.definition);
            if (!definition) return refuse(definition.error());
            for (auto* file : {&definition->ca, &definition->certificate, &definition->key})
                resolve(*file);
            return std::shared_ptr<delivery::Channel>(std::make_shared<delivery::MssChannel>(*definition));
        }
        case domain::PartnerKind::dpi: {
            auto definition = delivery::dpi_partner(partner.definition);
            if (!definition) return refuse(definition.error());
            for (auto* file : {&definition->ca, &definition->certificate, &definition->key})
                resolve(*file);
            return std::shared_ptr<delivery::Channel>(std::make_shared<delivery::DpiChannel>(*definition));
        }
    }
    return Error{Fault::unsupported, "partner", "this kind of partner is not known"};
}

}  // namespace sgl::daemon
