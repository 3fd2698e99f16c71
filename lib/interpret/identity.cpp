#include "lib/interpret/identity.hpp"

#include <array>
#include <optional>

#include "hl7/groups.hpp"
#include "hl7/segments.hpp"
#include "lib/base/text.hpp"

namespace sgl::interpret {

namespace {

using domain::IdentityAct;
using domain::Movement;
using domain::StayStatement;

/// What each event is for us (hl7v2-lab 9.1); an event that is not here is ignored.
struct Event {
    std::string_view trigger;
    IdentityAct::Kind kind;
    std::optional<StayStatement::Event> stay;
};
constexpr std::array<Event, 19> events{{
    {"A28", IdentityAct::Kind::state, std::nullopt},
    {"A31", IdentityAct::Kind::state, std::nullopt},
    {"A40", IdentityAct::Kind::merge, std::nullopt},
    {"A47", IdentityAct::Kind::renumber, std::nullopt},
    {"A24", IdentityAct::Kind::link, std::nullopt},
    {"A37", IdentityAct::Kind::unlink, std::nullopt},
    {"A01", IdentityAct::Kind::state, StayStatement::Event::admitted},
    {"A04", IdentityAct::Kind::state, StayStatement::Event::admitted},
    {"A05", IdentityAct::Kind::state, StayStatement::Event::planned},
    {"A02", IdentityAct::Kind::state, StayStatement::Event::updated},
    {"A06", IdentityAct::Kind::state, StayStatement::Event::updated},
    {"A07", IdentityAct::Kind::state, StayStatement::Event::updated},
    {"A08", IdentityAct::Kind::state, StayStatement::Event::updated},
    {"A12", IdentityAct::Kind::state, StayStatement::Event::updated},
    {"Z99", IdentityAct::Kind::state, StayStatement::Event::updated},
    {"A03", IdentityAct::Kind::state, StayStatement::Event::discharged},
    {"A11", IdentityAct::Kind::state, StayStatement::Event::admission_cancelled},
    {"A38", IdentityAct::Kind::state, StayStatement::Event::admission_cancelled},
    {"A13", IdentityAct::Kind::state, StayStatement::Event::discharge_cancelled},
}};

const Event* event_of(std::string_view trigger) {
    for (const auto& event : events) {
        if (event.trigger == trigger) return &event;
    }
    return nullptr;
}

/// UF of an XON: the code in XON-10 (hl7v2-lab 9.4).
std::string ward(const hl7::Segment& zbe, std::size_t field) {
    const auto code = zbe.text(field, 10);
    return code.empty() ? zbe.text(field, 3) : code;
}

std::optional<Movement> movement(const hl7::Segment& zbe, const domain::Link& link,
                                 std::vector<domain::Trouble>& troubles) {
    if (!zbe) return std::nullopt;
    Movement movement;
    const auto id = hl7::read_entity(zbe.field(1).repetition(0));
    if (id.id.empty()) {
        troubles.push_back({"movement", zbe.coordinate(1), "the movement has no identifier: it was left out"});
        return std::nullopt;
    }
    movement.id = id.id + "^" + (id.authority.oid.empty() ? id.authority.name : id.authority.oid);
    const auto action = zbe.text(4);
    if (action == "INSERT" || action.empty()) {
        movement.action = Movement::Action::insert;
    } else if (action == "UPDATE") {
        movement.action = Movement::Action::update;
    } else if (action == "CANCEL") {
        movement.action = Movement::Action::cancel;
    } else {
        troubles.push_back({"movement", zbe.coordinate(4),
                            "only INSERT, UPDATE and CANCEL are movements' actions: the "
                            "movement was left out"});
        return std::nullopt;
    }
    movement.start = moment(zbe, 2, link);
    movement.historic = zbe.text(5) == "Y";
    movement.event = zbe.text(6);
    movement.medical_ward = ward(zbe, 7);
    movement.nursing_ward = ward(zbe, 8);
    movement.nature = zbe.text(9);
    return movement;
}

std::string location(const hl7::Segment& pv1) {
    std::string place;
    for (const std::size_t part : {1U, 2U, 3U}) {
        const auto text = pv1.text(3, part);
        if (text.empty()) continue;
        place += (place.empty() ? "" : " ") + text;
    }
    return place;
}

struct Segments {
    hl7::Segment pid, pv1, mrg, zbe, zfa;
};

Segments segments_of(const hl7::PatientGroup& group) {
    Segments found;
    found.pid = group.pid;
    found.pv1 = group.visit;
    for (const auto& segment : group.attached) {
        if (segment.id() == "MRG" && !found.mrg) found.mrg = segment;
        if (segment.id() == "ZBE" && !found.zbe) found.zbe = segment;
        if (segment.id() == "ZFA" && !found.zfa) found.zfa = segment;
    }
    return found;
}

class Reader {
public:
    Reader(const hl7::Message& message, const domain::Link& link, const PatientContext& context)
        : message_(message), link_(link), context_(context), evn_(message.first("EVN")) {
        said_at_ = moment(evn_, 2, link);
        if (!said_at_) said_at_ = moment(message.header(), 7, link);
    }

    std::optional<Refusal> read(const Event& event, ReadIdentity& to) {
        std::vector<Segments> patients;
        for (const auto& group : groups_.patients) {
            if (group.pid) patients.push_back(segments_of(group));
        }
        if (patients.empty()) return Refusal{"AE", "100", "PID^1", "an identity message needs a PID", "PID"};
        const bool two = event.kind == IdentityAct::Kind::link || event.kind == IdentityAct::Kind::unlink;
        if (two) {
            if (patients.size() < 2) return Refusal{"AE", "100", "PID^2", "a link needs two PID", "PID[2]"};
            auto act = act_of(event, patients[0], to);
            act.former = local_identifiers(patients[1].pid.field(3), context_);
            if (act.former.empty())
                missing(to, patients[1].pid.coordinate(3), "the second patient's number is missing");
            add(to, std::move(act), patients[0]);
            return std::nullopt;
        }
        for (const auto& segments : patients) {
            auto act = act_of(event, segments, to);
            if (event.kind == IdentityAct::Kind::merge || event.kind == IdentityAct::Kind::renumber) {
                if (!segments.mrg) return Refusal{"AE", "100", "MRG^1", "this event needs an MRG", "MRG"};
                act.former = local_identifiers(segments.mrg.field(1), context_);
                // A47 may be about the INS alone.
                if (act.former.empty() && event.kind == IdentityAct::Kind::merge)
                    missing(to, segments.mrg.coordinate(1), "the number that ends (type PI) is missing");
            }
            add(to, std::move(act), segments);
        }
        return std::nullopt;
    }

private:
    static void missing(ReadIdentity& to, std::string coordinate, std::string what) {
        to.troubles.push_back({"identifier_missing", std::move(coordinate), std::move(what)});
        to.held = true;
    }

    IdentityAct act_of(const Event& event, const Segments& segments, ReadIdentity& to) {
        IdentityAct act;
        act.kind = event.kind;
        act.said = patient(segments.pid, link_, context_, to.troubles);
        if (!act.said.said_at) act.said.said_at = said_at_;
        if (event.stay)
            act.stay = stay(*event.stay, segments, to.troubles);
        else if (segments.zfa)
            act.stay = stay(StayStatement::Event::updated, segments, to.troubles);
        return act;
    }

    void add(ReadIdentity& to, IdentityAct act, const Segments& segments) {
        if (act.said.patient.local_id.empty())
            missing(to, segments.pid.coordinate(3), "the local patient identifier (type PI) is missing");
        // A merge, a link or a new number may come with the numbers alone.
        if (act.kind == IdentityAct::Kind::state && act.said.patient.traits.reveal().birth_name.empty()) {
            to.troubles.push_back({"identity_incomplete", segments.pid.coordinate(5), "the birth name is missing"});
            to.held = true;
        }
        to.acts.push_back(std::move(act));
    }

    StayStatement stay(StayStatement::Event event, const Segments& segments, std::vector<domain::Trouble>& troubles) {
        StayStatement stay;
        stay.event = event;
        stay.said_at = said_at_;
        stay.number = std::string(trim(segments.pid.text(18)));
        if (segments.pv1) {
            if (stay.number.empty()) stay.number = std::string(trim(segments.pv1.text(19)));
            stay.patient_class = segments.pv1.text(2);
            stay.location = location(segments.pv1);
            stay.begins = moment(segments.pv1, 44, link_);
            stay.ends = moment(segments.pv1, 45, link_);
        }
        stay.movement = movement(segments.zbe, link_, troubles);
        const auto start = stay.movement ? stay.movement->start : std::nullopt;
        const auto occurred = moment(evn_, 6, link_);
        const auto planned = moment(evn_, 3, link_);
        if (event == StayStatement::Event::planned && planned) stay.begins = planned;
        const bool arrives = event == StayStatement::Event::admitted || event == StayStatement::Event::planned;
        if (arrives && !stay.begins) stay.begins = start ? start : occurred ? occurred : said_at_;
        if (event == StayStatement::Event::discharged && !stay.ends)
            stay.ends = start ? start : occurred ? occurred : said_at_;
        stay.dmp = dmp_word(segments.zfa, link_);
        return stay;
    }

    const hl7::Message& message_;
    const domain::Link& link_;
    const PatientContext& context_;
    hl7::Groups groups_{hl7::group(message_)};
    hl7::Segment evn_;
    std::optional<Instant> said_at_;
};

}  // namespace

std::variant<ReadIdentity, Refusal> identity(const hl7::Message& message, const domain::Link& link,
                                             const PatientContext& context) {
    ReadIdentity read;
    read.event = message.trigger();
    if (read.event.empty()) read.event = message.text("EVN-1");
    const auto* event = event_of(read.event);
    if (event == nullptr) {
        read.ignored = true;
        return read;
    }
    if (message.charset_invalid()) {
        // Stored and acknowledged (design D17), but an identity is never guessed.
        read.troubles.push_back(
            {"charset", "MSH-18", "the bytes are not in the character set that the message or the link says"});
        read.held = true;
        return read;
    }
    Reader reader(message, link, context);
    if (auto refusal = reader.read(*event, read)) return *refusal;
    if (read.held) read.acts.clear();
    return read;
}

}  // namespace sgl::interpret
