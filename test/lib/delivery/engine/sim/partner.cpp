#include "test/lib/delivery/engine/sim/partner.hpp"

#include <fmt/format.h>

namespace sgl::delivery::sim {

using domain::Reason;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

/// Letters have small numbers here.
std::string name_of(const Row& row) {
    return fmt::format("letter {} ({} to {}, version {}, {})", to_string(row.id.value()).substr(24),
                       to_string(row.channel), row.key, row.version->number, to_string(row.act));
}

}  // namespace

void Findings::violated(const std::string& what) {
    if (violations.size() < 20) violations.push_back(what);
    if (story != nullptr) story->push_back("VIOLATED " + what);
}

void Findings::happened(Instant at, const std::string& what) {
    const auto mix = [this](unsigned char byte) { digest = (digest ^ byte) * 1099511628211ULL; };
    for (const char c : what)
        mix(static_cast<unsigned char>(c));
    for (unsigned shift = 0; shift < 64; shift += 8)
        mix(static_cast<unsigned char>(static_cast<std::uint64_t>(at.time_since_epoch().count()) >> shift));
    if (story == nullptr) return;
    const auto day = std::chrono::floor<std::chrono::days>(at);
    const std::chrono::hh_mm_ss<Duration> time{at - day};
    story->push_back(fmt::format("{:02}:{:02}:{:02}.{:06} {}", time.hours().count(), time.minutes().count(),
                                 time.seconds().count(), time.subseconds().count(), what));
}

std::string_view to_string(Mood mood) {
    switch (mood) {
        case Mood::up:
            return "up";
        case Mood::down:
            return "down";
        case Mood::refusing:
            return "refusing";
        case Mood::rejecting:
            return "rejecting";
        case Mood::lost:
            return "lost";
        case Mood::silent:
            return "silent";
        case Mood::garbage:
            return "garbage";
        case Mood::other_id:
            return "other_id";
        case Mood::slow:
            return "slow";
        case Mood::lying:
            return "lying";
    }
    return "";
}

void Partner::take(Arrival arrival) {
    arrival.taken_at = world_.now();
    const Row& row = letters_.row(arrival.letter);
    findings_.happened(arrival.taken_at, name_ + " takes " + name_of(row));
    findings_.count("taken");
    // I7
    if (row.version->state == Version::State::validated || row.planned != domain::LetterState::due)
        findings_.violated("I7: " + name_of(row) + " must not leave");
    const bool needs_ins = row.channel == domain::Channel::dmp || row.channel == domain::Channel::mss_patient;
    if (needs_ins && !row.version->qualified) findings_.violated("I7: " + name_of(row) + " without a qualified INS");
    // I6: as often again as it was in doubt.
    const std::size_t times = ++taken_[arrival.letter];
    if (times > 1) findings_.count(can_be_asked_ ? "repeats recognised" : "duplicates by mail");
    if (times > 1 + row.doubts)
        findings_.violated(fmt::format("I6: {} came {} times after {} doubts", name_of(row), times, row.doubts));
    const auto [dated, first] = dated_.emplace(arrival.letter, arrival.dated);
    if (!first && dated->second != arrival.dated) findings_.violated("I6: " + name_of(row) + " changed its date");
    if (row.last_attempt && row.doubts == 0 && row.facts.attempts > *row.last_attempt)
        findings_.violated("I8: " + name_of(row) + " was tried again after its report had been withdrawn");
    // I8: what left after something newer had been taken.
    auto& stream = streams_[{row.version->set, row.channel, row.key}];
    for (const auto& earlier : stream) {
        const Row& other = letters_.row(earlier.letter);
        if (other.rank() > row.rank() && earlier.taken_at < arrival.left_at)
            findings_.violated("I8: " + name_of(row) + " left after " + name_of(other) + " was taken");
    }
    stream.push_back(arrival);
}

std::vector<Arrival> Partner::taken_of(domain::ReportSetId set, domain::Channel channel, const std::string& key) const {
    const auto found = streams_.find({set, channel, key});
    return found == streams_.end() ? std::vector<Arrival>() : found->second;
}

Outcome SimChannel::unreached(Mood mood) const {
    const bool answers = mood == Mood::refusing;
    return try_later(Reason::partner_unavailable,
                     {Fault::unavailable, answers ? "answer" : "TCP", answers ? "come back later" : "nobody answers"});
}

asio::awaitable<Outcome> SimChannel::deliver(const Letter& letter, const domain::Report&, const Documents&) {
    Random& random = world_.random;
    co_await process_.delay(random.between(milliseconds(1), milliseconds(400)));
    const auto away = [this] { return partner_.mood == Mood::down || partner_.mood == Mood::refusing; };
    if (away()) co_return unreached(partner_.mood);
    if (letter.in_doubt && partner_.can_be_asked()) {
        co_await process_.delay(random.between(milliseconds(1), seconds(1)));
        if (away()) co_return unreached(partner_.mood);
        if (partner_.mood != Mood::up && partner_.mood != Mood::slow && partner_.mood != Mood::lying)
            co_return in_doubt(Error{Fault::unavailable, "answer", "the question was not answered"});
        if (partner_.has(letter.id)) {
            findings_.count("found there after a doubt");
            co_return accepted("there already");
        }
    }
    const auto mailbox = partner_.mailboxes.find(letter.recipient_key);
    const Mailbox box = mailbox == partner_.mailboxes.end() ? Mailbox::open : mailbox->second;
    if (box == Mailbox::full) {
        auto full = try_later(Reason::partner_unavailable, {Fault::unavailable, "RCPT", "the mailbox is full"});
        full.recipient_only = true;
        co_return full;
    }
    if (box == Mailbox::unknown || partner_.mood == Mood::rejecting)
        co_return refused(Reason::partner_refused, {Fault::refused, "RCPT", "no such mailbox"});
    if (box == Mailbox::closed) co_return not_applicable(Reason::no_dmp, {Fault::refused, "", "no DMP"});
    half_way_();
    co_await process_.delay(random.between(milliseconds(1), milliseconds(600)));
    if (away()) co_return unreached(Mood::down);
    if (mutant_ != Mutant::oversleeps && !letter.may_leave()) {
        findings_.count("overslept");
        co_return overslept();
    }
    // From here on it has left, whatever becomes of us.
    const Mood mood = partner_.mood;
    const Arrival arrival{letter.id, world_.now(), letter.sent_at, {}};
    const Duration way = mood == Mood::slow ? random.between(seconds(3), seconds(20))
                                            : random.between(milliseconds(5), milliseconds(1500));
    const bool clear = mood == Mood::up || mood == Mood::slow;
    if (clear || (mood != Mood::lying && random.chance(600))) {
        Partner& partner = partner_;
        world_.after(way, [&partner, arrival] { partner.take(arrival); });
    }
    if (mood == Mood::lying) partner_.lied(letter.id);
    const Duration answer = mood == Mood::silent ? Duration{seconds(30)} : way + milliseconds(20);
    co_await process_.delay(answer);
    if (!clear && mood != Mood::lying) {
        findings_.count("answer lost");
        co_return in_doubt(Error{Fault::unavailable, "answer", "no answer that can be believed"});
    }
    auto taken = accepted(std::string("taken"));
    taken.possible_duplicate = letter.in_doubt && !partner_.can_be_asked();
    co_return taken;
}

}  // namespace sgl::delivery::sim
