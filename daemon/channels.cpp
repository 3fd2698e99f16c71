#include "daemon/channels.hpp"

#include "lib/base/log.hpp"
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

std::shared_ptr<delivery::Channel> Channels::of(const store::LeasedLetter& letter, const domain::Laboratory& laboratory) {
    const auto* partner = partner_for(letter, laboratory);
    if (partner == nullptr || !partner->active) return nullptr;
    auto& made = made_[partner->id.value()];
    if (!made.channel || made.definition != partner->definition) {
        made.channel = make(*partner);
        made.definition = partner->definition;
    }
    return made.channel;
}

std::shared_ptr<delivery::Channel> Channels::make(const domain::Partner& partner) const {
    const auto resolve = [this](std::string& name) {
        if (!name.empty()) name = config::credential(settings_, name);
    };
    const auto refuse = [&](const Error& error) {
        log::error("a partner can't be used", {{"partner", partner.id}});
        log::error("a partner can't be used", error);
        return nullptr;
    };
    switch (partner.kind) {
        case domain::PartnerKind::dmp: {
            auto definition = delivery::dmp_partner(partner.definition);
            if (!definition) return refuse(definition.error());
            for (auto* file : {&definition->ca, &definition->tls_certificate, &definition->tls_key, &definition->sign_certificate, &definition->sign_key}) {
                resolve(*file);
            }
            if (definition->lps_version.empty()) definition->lps_version = SGL_VERSION;
            auto channel = dmp::DmpChannel::make(executor_, *definition, clock_);
            if (!channel) return refuse(channel.error());
            return std::move(*channel);
        }
        case domain::PartnerKind::mss: {
            auto definition = delivery::mss_partner(partner.definition);
            if (!definition) return refuse(definition.error());
            for (auto* file : {&definition->ca, &definition->certificate, &definition->key}) resolve(*file);
            return std::make_shared<delivery::MssChannel>(*definition);
        }
        case domain::PartnerKind::dpi: {
            auto definition = delivery::dpi_partner(partner.definition);
            if (!definition) return refuse(definition.error());
            for (auto* file : {&definition->ca, &definition->certificate, &definition->key}) resolve(*file);
            return std::make_shared<delivery::DpiChannel>(*definition);
        }
    }
    return nullptr;
}

}  // namespace sgl::daemon
