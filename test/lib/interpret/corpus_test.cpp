// Every public ORU and OML is read or refused, without exception and without losing an observation.
#include <set>

#include "hl7/groups.hpp"
#include "hl7/lines.hpp"
#include "lib/base/text.hpp"
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
            if (!message || (message->type() != "OML" && message->type() != "ORM")) continue;
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
            for (const auto& line : it.lines) {
                EXPECT_FALSE(line.at.empty());
                EXPECT_EQ(line.exam.code.empty() || !line.obr_at.empty(), true);
            }
            const auto decision = domain::decide(it, {}, test::catalogue());
            EXPECT_EQ(decision.lines.size(), it.lines.size());
            for (const auto& line : decision.lines)
                EXPECT_EQ(line.refusal == domain::LineRefusal::none, line.coordinate.empty());
            for (const auto& trouble : it.troubles)
                EXPECT_TRUE(no_value_leaks(*message, trouble.what)) << trouble.kind;
        }
    }
    EXPECT_GE(read + refused, 20U);
    std::cout << read << " orders read, " << refused << " refused\n";
}

/// What is asked, as somebody reads it: one line each, then tubes, previous results and context.
std::vector<std::string> told(const ReadOrder& order) {
    std::vector<std::string> lines;
    for (const auto& line : order.lines) {
        std::string text = std::string(answering_control(line.control, true)) + " " + line.exam.placer_number;
        if (!line.filler.empty()) text += " filler " + line.filler;
        if (!line.group.empty()) text += " group " + line.group;
        if (!line.exam.code.empty()) text += " " + line.exam.code;
        for (const auto& tube : line.exam.specimens)
            text += " on " + tube;
        if (line.urgent) text += *line.urgent ? " urgent" : " routine";
        if (!line.reason.empty()) text += " because " + line.reason;
        lines.push_back(std::move(text));
    }
    for (const auto& tube : order.order.specimens) {
        std::string text = "tube " + tube.number + " " + tube.type;
        if (tube.collected_at) text += " " + to_hl7(*tube.collected_at);
        if (tube.refused()) text += " refused: " + tube.refusal;
        lines.push_back(std::move(text));
    }
    for (const auto& prior : order.prior)
        lines.push_back("prior " + prior.label + " = " + prior.value);
    for (const auto line : split(order.order.clinical_context, '\n')) {
        if (!line.empty()) lines.push_back("context " + std::string(line));
    }
    return lines;
}

TEST(Corpus, OfOrdersSaysWhatSomebodyTyped) {
    const auto corpus = sgl::test::shared_folder() / "hl7/corpus";
    SGL_NEEDS_SHARED(corpus);
    struct Typed {
        std::string file;
        std::size_t message;
        std::vector<std::string> lines;
    };
    const std::vector<Typed> all{
        {"synthetic-fr__oml_o21_prescription.hl7",
         0,
         {"OK DEM24-0030 group GRP24-0030 NFS on DEM24-0030-T1 urgent",
          "OK DEM24-0031 group GRP24-0030 INR on DEM24-0030-T2 urgent",
          "tube DEM24-0030-T1 EDTA 20240502063000+0200", "tube DEM24-0030-T2 CIT 20240502063000+0200",
          "context Poids : 68,5 kg", "context Grossesse : Non",
          "context Patient sous AVK ; appeler le poste 4512 si INR > 5."}},
        {"synthetic-fr__oml_o21_cancel.hl7",
         0,
         {"CR DEM24-0031 filler 24050200181 group GRP24-0030 INR because Erreur de prescription"}},
        {"hapi__example-oml-o21__OML-O21.hl7",
         0,
         {"OK 12345678 group 666 82951 on 123456781 on 123456782 on 123456783 urgent",
          "tube 123456781 SER 200309060735+0200", "tube 123456782 SER 200309060755+0200",
          "tube 123456783 SER 200309060815+0200", "context GLUCOSE : 75 g"}},
        {"hapi__example-oml-o21__OML-O21.hl7",
         1,
         {"OK 12345678 filler 555 group 666 82951 on 123456781 on 123456782 on 123456783 urgent",
          "tube 123456781 SER 200309060735+0200", "tube 123456782 SER 200309060755+0200",
          "tube 123456783 SER 200309060815+0200 refused: Tube cassé"}},
        {"zato-nl-glims__oml_o21_micro_prior_results.hl7",
         0,
         {"OK ORD2026002 29576-6 on ORD2026002 routine", "tube ORD2026002  20260509090000+0200",
          "prior Meropenem [Susceptibility] by Minimum inhibitory concentration (MIC) = >=16",
          "prior Meropenem [Susceptibility] by Gradient strip = 8.0", "prior Meropenem [Susceptibility] = R",
          "context Chief complaint : Urineweginfectie, recidiverend",
          "context Service comment : Resistentiebepaling gevraagd na kweek positief E.coli"}},
    };
    const auto link = test::registration();
    for (const auto& typed : all) {
        SCOPED_TRACE(typed.file);
        const auto block = sgl::test::bytes_of(corpus / typed.file);
        const auto messages = hl7::split_messages(block);
        const auto message = hl7::Message::parse(std::string(messages.at(typed.message))).value();
        const auto got = order(message, link, test::catalogue(), {"1.2.250.1.999.1", false});
        ASSERT_TRUE(std::holds_alternative<ReadOrder>(got)) << std::get<Refusal>(got).what;
        EXPECT_EQ(told(std::get<ReadOrder>(got)), typed.lines);
    }
}

}  // namespace
}  // namespace sgl::interpret
