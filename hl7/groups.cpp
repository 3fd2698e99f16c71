#include "hl7/groups.hpp"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "hl7/parents.hpp"
#include "hl7/structure.hpp"

namespace sgl::hl7 {

namespace {

bool one_of(std::string_view id, std::initializer_list<std::string_view> names) {
    return std::ranges::find(names, id) != names.end();
}

// One reader per message: it keeps the current object of each level.
class Reader {
public:
    explicit Reader(const Message& message) : message_(message) {
        const auto type = message.type();
        auto structure = structure_of(message);
        if (structure.empty()) structure = type == "OUL" ? "OUL_R24" : "ORU_R01";
        layout_ = layout_of(structure);
        results_ = type == "ORU" || type == "OUL";
        order_message_ = type == "OML" || type == "ORM";
    }

    Groups read() {
        for (std::size_t i = 1; i < message_.size(); ++i)
            take(message_.segment(i));
        if (order_message_) mark_prior_results();
        return std::move(groups_);
    }

private:
    enum class Level : std::uint8_t { header, patient, order, observation, specimen, container };

    PatientGroup& patient() {
        if (groups_.patients.empty()) groups_.patients.emplace_back();
        return groups_.patients.back();
    }
    OrderGroup& order() { return patient().orders.back(); }           ///< when open_order_
    SpecimenGroup& specimen() { return patient().specimens.back(); }  ///< when open_specimen_

    void take(const Segment& segment) {
        const auto id = segment.id();
        if (id == "PID") {
            new_patient(segment);
        } else if (id == "ORC") {
            take_orc(segment);
        } else if (id == "OBR") {
            if (!open_order_ || order().obr) new_order();
            order().obr = segment;
            level_ = Level::order;
        } else if (id == "OBX") {
            take_obx(segment);
        } else if (id == "SPM") {
            take_spm(segment);
        } else if (id == "SAC") {
            if (!open_specimen_) new_specimen({});
            specimen().containers.push_back(segment);
            level_ = Level::container;
        } else if (id == "NTE") {
            notes().push_back(segment);
        } else if (one_of(id, {"TQ1", "TQ2"}) && open_order_) {
            order().timings.push_back(segment);
        } else if (id == "PV1") {
            if (patient().visit)
                patient().attached.push_back(segment);
            else
                patient().visit = segment;
            if (level_ == Level::header) level_ = Level::patient;
        } else if (one_of(id, {"PV2", "PD1", "NK1", "IN1", "IN2", "IN3", "AL1", "MRG", "GT1", "EVN", "ZBE", "ZFA",
                               "ZFP", "ZFV", "ZFM", "ZFD"})) {
            patient().attached.push_back(segment);
            if (level_ == Level::header && id != "EVN") level_ = Level::patient;
        } else if (id == "INV" && level_ == Level::container) {
            specimen().containers.push_back(segment);
        } else if (one_of(id, {"DG1", "CTD", "CTI", "FT1", "BLG"}) && open_order_) {
            order().attached.push_back(segment);
        } else {
            attached().push_back(segment);
        }
        previous_was_obr_ = id == "OBR";
    }

    void new_patient(const Segment& pid) {
        // A visit or a Z segment may have come before its PID: it is the same patient.
        if (groups_.patients.empty() || groups_.patients.back().pid || !groups_.patients.back().orders.empty() ||
            !groups_.patients.back().specimens.empty()) {
            groups_.patients.emplace_back();
        }
        groups_.patients.back().pid = pid;
        open_order_ = open_specimen_ = false;
        orders_first_ = false;
        waiting_specimens_.clear();
        level_ = Level::patient;
    }

    /// A requester joins what is known of the patient, often under its PID once more (hl7v2-lab 7.2). An OBR without
    /// ORC and without result is one more line of the ORC before it, as old senders write.
    void mark_prior_results() {
        for (auto& patient : groups_.patients) {
            for (auto& order : patient.orders) {
                const auto control = order.orc ? order.orc.text(1) : std::string();
                const bool result =
                    std::any_of(order.observations.begin(), order.observations.end(),
                                [](const ObservationGroup& each) { return !each.obx.text(11).empty(); });
                const bool again = &patient != &groups_.patients.front() && !order.observations.empty();
                order.prior = order.orc ? control == "PR" || control == "RE" : result || again;
            }
        }
    }

    void new_order() {
        auto& current = patient();
        current.orders.emplace_back();
        open_order_ = true;
        observations_of_specimen_ = false;
        auto& opened = current.orders.back();
        if (layout_.specimen_first && open_specimen_) {
            opened.specimens.push_back(current.specimens.size() - 1);
        } else {
            orders_first_ = true;
            opened.specimens = std::move(waiting_specimens_);
            waiting_specimens_.clear();
            open_specimen_ = false;
        }
        level_ = Level::order;
    }

    void take_orc(const Segment& orc) {
        // Some structures (OUL) have OBR [ORC]; elsewhere an ORC between two OBR belongs to the second.
        const bool next_is_obr = message_.segment(orc.index() + 1).id() == "OBR";
        const bool late = open_order_ && !order().orc && previous_was_obr_ && (layout_.obr_first || !next_is_obr);
        if (!late) new_order();
        order().orc = orc;
        level_ = Level::order;
    }

    void new_specimen(const Segment& spm) {
        auto& current = patient();
        current.specimens.emplace_back();
        current.specimens.back().spm = spm;
        open_specimen_ = true;
    }

    void take_spm(const Segment& spm) {
        auto& current = patient();
        // A container came first and waits for its specimen.
        if (open_specimen_ && !current.specimens.back().spm && !open_order_)
            current.specimens.back().spm = spm;
        else
            new_specimen(spm);
        const auto position = current.specimens.size() - 1;
        if (layout_.specimen_first && !orders_first_) {
            open_order_ = false;
            observations_of_specimen_ = true;
        } else if (open_order_) {
            order().specimens.push_back(position);
            // SPM last in OUL, as in the published dialogue of IHE: it is also the specimen of the orders that had
            // none.
            for (auto& other : current.orders) {
                if (layout_.obr_first && other.specimens.empty()) other.specimens.push_back(position);
            }
            // Results may come after their SPM: only an order that has its results leaves the OBX to the specimen.
            observations_of_specimen_ = !results_ || !order().observations.empty();
        } else {
            waiting_specimens_.push_back(position);
            observations_of_specimen_ = true;
        }
        level_ = Level::specimen;
    }

    void take_obx(const Segment& obx) {
        if (open_specimen_ && observations_of_specimen_)
            observations_ = Level::specimen;
        else
            observations_ = open_order_ ? Level::order : Level::patient;
        observations_there().push_back({obx, {}, {}, {}});
        level_ = Level::observation;
    }

    std::vector<ObservationGroup>& observations_there() {
        if (observations_ == Level::specimen) return specimen().observations;
        if (observations_ == Level::order) return order().observations;
        return patient().observations;
    }
    ObservationGroup& observation() { return observations_there().back(); }

    std::vector<Segment>& notes() {
        switch (level_) {
            case Level::header:
                return groups_.header;
            case Level::patient:
                return patient().notes;
            case Level::order:
                return order().notes;
            case Level::observation:
                return observation().notes;
            case Level::specimen:
            case Level::container:
                return specimen().notes;
        }
        return groups_.header;
    }

    std::vector<Segment>& attached() {
        switch (level_) {
            case Level::header:
                return groups_.header;
            case Level::patient:
                return patient().attached;
            case Level::order:
                return order().attached;
            case Level::observation:
                return observation().attached;
            case Level::specimen:
            case Level::container:
                return specimen().attached;
        }
        return groups_.header;
    }

    const Message& message_;
    Groups groups_;
    Level level_{Level::header};
    Level observations_{Level::patient};
    Layout layout_;
    bool results_{};
    bool order_message_{};
    bool open_order_{};
    bool open_specimen_{};
    bool observations_of_specimen_{};
    bool previous_was_obr_{};
    bool orders_first_{};  // the patient's orders came before their SPM, whatever the structure says
    std::vector<std::size_t> waiting_specimens_;
};

}  // namespace

Groups group(const Message& message) {
    auto groups = Reader(message).read();
    for (auto& patient : groups.patients)
        find_parents(patient);
    return groups;
}

}  // namespace sgl::hl7
