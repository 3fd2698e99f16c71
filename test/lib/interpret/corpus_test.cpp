// Every public ORU and OML is read or refused, without exception and without losing an observation.
#include <set>

#include "hl7/groups.hpp"
#include "hl7/lines.hpp"
#include "lib/interpret/order.hpp"
#include "lib/interpret/results.hpp"
#include "test/hl7/shared.hpp"
#include "test/lib/interpret/samples.hpp"

namespace sgl::interpret {
namespace {

/// What a reading may leave out on purpose: nothing to report, supplemental data, quality control
/// (hl7v2-lab 6.3, 6.4, 8.6).
bool silent(const hl7::Segment& obx) {
    const auto status = obx.text(11);
    return obx.text(3, 6) == "IHELAW" || status == "N" || status == "O" || status == "I";
}
std::size_t silent(const hl7::Message& message) {
    std::size_t count = 0;
    for (const auto& obx : message.all("OBX")) {
        if (silent(obx)) ++count;
    }
    return count;
}

bool no_value_leaks(const hl7::Message& message, const std::string& text) {
    for (const auto& pid : message.all("PID")) {
        const auto name = pid.text(5, 1, 1);
        if (name.size() > 3 && text.find(name) != std::string::npos) return false;
    }
    return true;
}

TEST(Corpus, OfResultsIsReadWithoutLosingAnObservation) {
    const auto corpus = sgl::test::shared_folder() / "hl7/corpus";
    SGL_NEEDS_SHARED(corpus);
    auto link = test::analyser();
    std::size_t read = 0;
    std::size_t refused = 0;
    std::size_t observations = 0;
    for (const auto& entry : std::filesystem::directory_iterator(corpus)) {
        if (entry.path().extension() != ".hl7") continue;
        SCOPED_TRACE(entry.path().filename().string());
        const auto block = sgl::test::bytes_of(entry.path());
        for (const auto& bytes : hl7::split_messages(block)) {
            const auto message = hl7::Message::parse(std::string(bytes));
            if (!message || (message->type() != "ORU" && message->type() != "OUL")) continue;
            std::ignore = admit(*message, link);
            std::ignore = results(*message, link, test::catalogue());
            // Without a catalogue no two OBX become one result: each can be counted.
            const auto got = results(*message, link, domain::Catalogue{});
            if (const auto* refusal = std::get_if<Refusal>(&got)) {
                ++refused;
                EXPECT_TRUE(message->all("OBX").empty() || message->all("OBR").empty()) << refusal->what;
                continue;
            }
            ++read;
            const auto& reading = std::get<domain::Reading>(got);
            std::size_t found = 0;
            std::size_t control = 0;
            for (const auto& group : reading.groups) {
                found += group.results.size() + group.documents.size();
                for (const auto& result : group.results) {
                    EXPECT_GT(result.position, 0);
                    EXPECT_TRUE(result.analyte || result.held) << "a code that we don't know, and nobody looks";
                    EXPECT_TRUE(result.value || result.held || result.status == "X");
                }
            }
            for (const auto& trouble : reading.troubles) {
                EXPECT_FALSE(trouble.coordinate.empty());
                EXPECT_TRUE(no_value_leaks(*message, trouble.what)) << trouble.kind;
                if (trouble.kind == "misplaced_result" || trouble.kind == "document") ++found;
                if (trouble.kind == "quality_control") ++control;
            }
            observations += found;
            std::size_t of_specimens = 0;  // said of a specimen: no results
            for (const auto& patient : hl7::group(*message).patients) {
                for (const auto& specimen : patient.specimens) {
                    for (const auto& observation : specimen.observations) {
                        if (!silent(observation.obx)) ++of_specimens;
                    }
                }
            }
            if (control == 0) {
                EXPECT_EQ(found + of_specimens + silent(*message), message->all("OBX").size());
            }
        }
    }
    EXPECT_GE(read, 120U);
    EXPECT_GE(observations, 2500U);
    std::cout << read << " results messages read, " << refused << " refused, " << observations << " observations\n";
}

TEST(Corpus, OfOrdersIsReadOrRefused) {
    const auto corpus = sgl::test::shared_folder() / "hl7";
    SGL_NEEDS_SHARED(corpus);
    const auto link = test::registration();
    std::size_t read = 0;
    std::size_t refused = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(corpus)) {
        const auto extension = entry.path().extension();
        if (extension != ".hl7" && extension != ".er7") continue;
        SCOPED_TRACE(entry.path().filename().string());
        const auto block = sgl::test::bytes_of(entry.path());
        for (const auto& bytes : hl7::split_messages(block)) {
            const auto message = hl7::Message::parse(std::string(bytes));
            if (!message || message->type() != "OML") continue;
            const auto got = order(*message, link, test::catalogue(), {"1.2.250.1.999.1", false});
            if (const auto* refusal = std::get_if<Refusal>(&got)) {
                ++refused;
                EXPECT_TRUE(refusal->answer == "AE" || refusal->answer == "AR");
                EXPECT_FALSE(refusal->coordinate.empty());
                EXPECT_TRUE(no_value_leaks(*message, refusal->what));
                continue;
            }
            ++read;
            const auto& it = std::get<ReadOrder>(got);
            EXPECT_FALSE(it.lines.empty());
            for (const auto& line : it.lines)
                EXPECT_EQ(line.refusal.empty(), line.coordinate.empty());
            for (const auto& trouble : it.troubles)
                EXPECT_TRUE(no_value_leaks(*message, trouble.what)) << trouble.kind;
        }
    }
    EXPECT_GE(read + refused, 20U);
    std::cout << read << " orders read, " << refused << " refused\n";
}

}  // namespace
}  // namespace sgl::interpret
