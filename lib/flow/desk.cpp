#include "lib/flow/desk.hpp"

#include <algorithm>

#include "lib/base/log.hpp"
#include "lib/flow/answer.hpp"
#include "lib/interpret/order_news.hpp"

namespace sgl::flow {

namespace {

constexpr std::size_t longest_token = 200;

bool may_see(const Actor& actor, domain::SiteId site) {
    return std::ranges::find(actor.sites, site.value()) != actor.sites.end();
}

/// Whoever requested the order; of a new one whoever gives the patient's numbers.
bool is_requester(const domain::Link& link, const domain::KnownOrder* before, const domain::KnownOrder& after,
                  const domain::Patient& patient) {
    if (before != nullptr && after.link) return after.link == link.id;
    return !link.patient_authority.empty() && patient.local_authority_oid == link.patient_authority;
}

store::NewsForm news_form(domain::LaboratoryPtr laboratory, domain::SiteId site, Instant now) {
    return [laboratory = std::move(laboratory), site, now](
               const domain::KnownOrder* before, const domain::KnownOrder& after, const domain::NewOrder& typed) {
        std::vector<store::NewsMessage> messages;
        const std::vector<domain::OrderNews> news = domain::news_of(before, after);
        if (news.empty()) return messages;
        for (const auto& link : laboratory->links()) {
            if (!link.order_news || !link.active || link.site != site) continue;
            if (!is_requester(link, before, after, typed.patient)) continue;
            store::NewsMessage message{link.id, fresh_control_id(now), {}};
            const std::string& stay = before == nullptr ? typed.stay_number : after.stay_number;
            const std::string& patient_class = before == nullptr ? typed.patient_class : after.patient_class;
            const interpret::OrderNewsMessage told{message.control_id, now,   typed.patient, stay,
                                                   patient_class,      after, news};
            message.raw = interpret::order_news(told, link, laboratory->catalogue(site));
            messages.push_back(std::move(message));
        }
        return messages;
    };
}

Error no_site() {
    return {Fault::missing, "site", "no such site of yours"};
}

}  // namespace

asio::awaitable<Result<DeskChoices>> Desk::choices(domain::SiteId site) {
    DeskChoices offered;
    offered.laboratory = parts_.laboratory.current();
    const domain::Site* known = offered.laboratory->site(site);
    if (known == nullptr) co_return no_site();
    offered.catalogue = &offered.laboratory->catalogue(site);
    store::DeskFacts facts = co_await parts_.orders.facts(site);
    offered.identity_slave = facts.identity_slave;
    offered.people = std::move(facts.people);
    std::ranges::sort(offered.people, {}, domain::person_words);
    co_return offered;
}

asio::awaitable<Result<DeskTaken>> Desk::register_order(Actor actor, domain::SiteId site, domain::DeskForm form,
                                                        std::string token) {
    if (!may_see(actor, site)) co_return no_site();
    Result<DeskChoices> offered = co_await choices(site);
    if (!offered) co_return offered.error();
    const domain::Site& at = *offered->laboratory->site(site);
    const domain::DeskKnowledge knowledge{*offered->catalogue, offered->people, at.oid, at.time_zone,
                                          parts_.clock.now()};
    domain::DeskReading reading = domain::read_new(form, knowledge);
    if (!form.patient && offered->identity_slave) {
        reading.errors.push_back(
            {"patient",
             "Les identités de ce site viennent du serveur d'identités de l'établissement : c'est là "
             "que ce patient se crée."});
    }
    if (!reading.errors.empty()) {
        DeskTaken refused;
        refused.errors = std::move(reading.errors);
        co_return refused;
    }
    store::DeskDeed deed;
    deed.legal_entity = at.legal_entity;
    deed.site = site;
    deed.actor = std::move(actor.name);
    deed.token = std::move(token);
    deed.patient = form.patient;
    deed.homonym = form.homonym;
    co_return co_await take(std::move(deed), std::move(form), std::move(reading.request), std::move(*offered));
}

asio::awaitable<Result<DeskTaken>> Desk::correct(Actor actor, domain::OrderId order, int seen_version,
                                                 domain::DeskForm form, std::string token) {
    // What the first click asked for would be refused the second time: it is there.
    const std::optional<domain::OrderId> before = co_await parts_.orders.done(actor.sites, token);
    if (before) {
        DeskTaken repeated;
        repeated.order = before;
        co_return repeated;
    }
    Result<store::DeskOrder> known = co_await parts_.orders.order(actor.sites, order);
    if (!known) co_return known.error();
    Result<DeskChoices> offered = co_await choices(known->site);
    if (!offered) co_return offered.error();
    const domain::Site& at = *offered->laboratory->site(known->site);
    const domain::DeskKnowledge knowledge{*offered->catalogue, offered->people, at.oid, at.time_zone,
                                          parts_.clock.now()};
    domain::DeskReading reading = domain::read_correction(form, known->order, knowledge);
    if (!reading.errors.empty()) {
        DeskTaken refused;
        refused.errors = std::move(reading.errors);
        co_return refused;
    }
    store::DeskDeed deed;
    deed.legal_entity = at.legal_entity;
    deed.site = known->site;
    deed.actor = std::move(actor.name);
    deed.token = std::move(token);
    deed.order = order;
    deed.seen_version = seen_version;
    co_return co_await take(std::move(deed), std::move(form), std::move(reading.request), std::move(*offered));
}

asio::awaitable<Result<DeskTaken>> Desk::take(store::DeskDeed deed, domain::DeskForm form, domain::DeskRequest request,
                                              DeskChoices choices) {
    if (deed.token.empty() || deed.token.size() > longest_token)
        co_return Error{Fault::malformed, "token", "each screen carries a token of 1 to 200 characters"};
    deed.at = parts_.clock.now();
    deed.work_links = parts_.work_links(deed.site);
    deed.news = news_form(choices.laboratory, deed.site, deed.at);
    const domain::SiteId site = deed.site;
    Result<store::DeskDone> done = co_await parts_.orders.take(std::move(deed), std::move(request), *choices.catalogue);
    if (!done) co_return done.error();
    DeskTaken taken;
    taken.order = done->order;
    taken.joined = done->joined;
    taken.namesakes = std::move(done->namesakes);
    taken.errors = domain::field_errors(form, done->request, done->decision);
    for (const auto& order : done->decision.orders) {
        if (order.touched && done->order == order.id) taken.number = order.number;
    }
    if (!taken.order) co_return taken;
    log::info("order taken at the desk", {{"order", *taken.order}, {"site", site}, {"duplicate", done->repeated}});
    parts_.tell_work();
    co_return taken;
}

}  // namespace sgl::flow
