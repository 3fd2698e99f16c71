#include "test/bench/micro.hpp"

#include <benchmark/benchmark.h>

#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "cda/checker.hpp"
#include "cda/write.hpp"
#include "config/import.hpp"
#include "hl7/ack.hpp"
#include "hl7/framer.hpp"
#include "lib/compose/cr_bio.hpp"
#include "lib/compose/pdf.hpp"
#include "lib/interpret/results.hpp"
#include "test/bench/material.hpp"
#include "test/bench/ring3.hpp"
#include "test/lib/compose/sample_report.hpp"

namespace sgl::bench {

namespace {

std::string read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("can't read " + path.string());
    return {std::istreambuf_iterator<char>(file), {}};
}

/// What the steps work on, made once.
struct Material {
    explicit Material(const std::filesystem::path& config_folder)
        : message(result_message(1)), framed(hl7::frame(message)), report(test::sample_long_report(observations)) {
        const auto imported = config::parse_import(catalogue_csv());
        std::vector<domain::Analyte> analytes;
        for (const auto& entry : imported.value().analytes) {
            analytes.push_back(entry.analyte);
            analytes.back().id = domain::AnalyteId{static_cast<std::int32_t>(analytes.size())};
        }
        catalogue = domain::Catalogue(std::move(analytes));
        const auto links = config::parse_import(read_file(config_folder / "links.sample.toml"));
        for (const auto& entry : links.value().links) {
            if (entry.link.name == "analyser-centre") link = entry.link;
        }
        const auto reading = interpret::results(hl7::Message::parse(message).value(), link, catalogue);
        const auto* read = std::get_if<domain::Reading>(&reading);
        if (read == nullptr || !read->troubles.empty() || read->groups.size() != 1 || read->groups[0].results.size() != observations) {
            throw std::runtime_error("the message of the bench is not understood");
        }
        auto opened = compose::PdfRenderer::open("/usr/share/fonts/truetype/dejavu", read_file("/usr/share/color/icc/sRGB.icc"));
        pdf = std::make_unique<compose::PdfRenderer>(std::move(opened.value()));
        printed = pdf->render(report).value().bytes;
        document = cda::write(compose::cr_bio(report, printed).value()).value();
        if (!checker.accept(document, checks())) throw std::runtime_error("the document of the bench is refused");
        constexpr unsigned three_pages = 90;
        const auto long_report = test::sample_long_report(three_pages);
        const auto long_pdf = pdf->render(long_report).value().bytes;
        long_document = cda::write(compose::cr_bio(long_report, long_pdf).value()).value();
    }
    static cda::CheckOptions checks() {
        cda::CheckOptions options;
        options.identities = cda::CheckOptions::Identities::test;
        return options;
    }

    std::string message;
    std::string framed;
    domain::Link link;
    domain::Catalogue catalogue;
    domain::Report report;
    std::unique_ptr<compose::PdfRenderer> pdf;
    cda::Checker checker;
    std::string printed;
    std::string document;
    std::string long_document;  ///< of 90 results
};

template <class Step>
void measure(const char* name, std::size_t bytes, Step step) {
    benchmark::RegisterBenchmark(name, [bytes, step](benchmark::State& state) {
        for (auto turn : state) {
            (void)turn;
            step();
        }
        if (bytes > 0) state.SetBytesProcessed(static_cast<std::int64_t>(bytes) * static_cast<std::int64_t>(state.iterations()));
    })->Unit(benchmark::kMicrosecond)->MinTime(0.5);
}

}  // namespace

void run_micro(const std::filesystem::path& config_folder) {
    const Material material(config_folder);
    const Material* const m = &material;
    measure("framer: one block of 20 OBX", m->framed.size(), [m] {
        hl7::Framer framer;
        benchmark::DoNotOptimize(framer.feed(m->framed));
    });
    measure("hl7: parse 20 OBX", m->message.size(), [m] { benchmark::DoNotOptimize(hl7::Message::parse(m->message)); });
    const hl7::Message parsed = hl7::Message::parse(m->message).value();
    const hl7::Message* const p = &parsed;
    measure("interpret: 20 OBX to results", 0, [m, p] { benchmark::DoNotOptimize(interpret::results(*p, m->link, m->catalogue)); });
    measure("hl7: acknowledgement", 0, [p] {
        hl7::AnswerContext context;
        context.control_id = "1";
        benchmark::DoNotOptimize(hl7::ack(*p, hl7::AckCode::aa, {}, context));
    });
    measure("compose: PDF/A of 20 results", m->printed.size(), [m] { benchmark::DoNotOptimize(m->pdf->render(m->report)); });
    measure("compose: report to CR-BIO", 0, [m] { benchmark::DoNotOptimize(compose::cr_bio(m->report, m->printed)); });
    const cda::CrBio words = compose::cr_bio(m->report, m->printed).value();
    const cda::CrBio* const w = &words;
    measure("cda: write", m->document.size(), [w] { benchmark::DoNotOptimize(cda::write(*w)); });
    measure("cda: ring 2 check", m->document.size(), [m] { benchmark::DoNotOptimize(m->checker.check(m->document, Material::checks())); });

    std::string program = "sgld-bench";
    char* arguments[] = {program.data(), nullptr};
    int count = 1;
    benchmark::Initialize(&count, arguments);
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    run_ring3(m->long_document);
}

}  // namespace sgl::bench
