#include "test/bench/ring3.hpp"

#include <fmt/core.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>

#include "cda/schematron/official_kit.hpp"

namespace sgl::bench {

namespace {

namespace fs = std::filesystem;

fs::path shared() {
    const char* folder = std::getenv("SGL_SHARED");
    return fs::absolute(folder == nullptr ? "../shared" : folder);
}

std::optional<std::string> file_of_the_kit(const std::string& path) {
    std::ifstream file(shared() / "ans" / path, std::ios::binary);
    if (!file) return std::nullopt;
    return std::string{std::istreambuf_iterator<char>(file), {}};
}

double own_milliseconds() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

double children_milliseconds() {
    rusage usage{};
    getrusage(RUSAGE_CHILDREN, &usage);
    const auto of = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
    };
    return of(usage.ru_utime) + of(usage.ru_stime);
}

struct Folder {
    Folder() {
        std::string name = (fs::temp_directory_path() / "sgl-ring3-XXXXXX").string();
        if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
        path = name;
    }
    ~Folder() {
        std::error_code ignored;
        fs::remove_all(path, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    fs::path path;
};

int run(const std::string& command) {
    return std::system((command + " >/dev/null 2>&1").c_str());
}

/// Where the tool keeps what it compiled: the newest folder that holds all four.
std::optional<fs::path> compiled() {
    const char* cache = std::getenv("XDG_CACHE_HOME");
    const fs::path root = fs::path(cache == nullptr ? "/tmp" : cache) / ("validate-crbio-" + std::to_string(getuid()));
    std::optional<fs::path> best;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(root, ignored))
        if (fs::exists(entry.path() / "volet-2024.01.xsl") &&
            (!best || fs::last_write_time(entry.path()) > fs::last_write_time(*best)))
            best = entry.path();
    return best;
}

}  // namespace

void run_ring3(const std::string& document) {
    auto kit = cda::schematron::OfficialKit::load(file_of_the_kit);
    if (!kit) {
        fmt::print("ring 3: SKIPPED, the official kit is not in {}\n", shared().string());
        return;
    }
    const auto judged = kit->check(document);
    if (!judged || !judged->accepted() || judged->ran.size() != 4)
        throw std::runtime_error("ring 3 refuses the document of the bench");
    constexpr int turns = 200;
    const double before = own_milliseconds();
    for (int i = 0; i < turns; ++i)
        if (!kit->check(document)) throw std::runtime_error("ring 3 refuses the document of the bench");
    const double native = (own_milliseconds() - before) / turns;
    fmt::print("\nring 3, {} kB, four official families: native {:.2f} ms of processor a document\n",
               document.size() / 1024, native);

    // What Saxon takes for each further document, its start and the loading of its rules not counted: many documents
    // less few.
    constexpr int few = 20;
    constexpr int many = 120;
    const Folder work;
    for (const int count : {few, many}) {
        fs::create_directory(work.path / std::to_string(count));
        for (int i = 0; i < count; ++i)
            std::ofstream(work.path / std::to_string(count) / (std::to_string(i) + ".xml"), std::ios::binary)
                << document;
    }
    const auto tool = shared() / "tools" / "validate-crbio";
    run("'" + tool.string() + "' -q -f ihe,modeles-cda,modeles-ans,volet '" +
        (work.path / std::to_string(few) / "0.xml").string() + "'");
    const auto rules = compiled();
    if (!rules) {
        fmt::print("ring 3: SKIPPED beside Saxon, {} can't run\n", tool.string());
        return;
    }
    const auto saxon = [&](const char* family, int count) {
        const auto start = children_milliseconds();
        const auto out = work.path / (std::string(family) + std::to_string(count));
        const auto command = fmt::format(
            "java -Xshare:auto -XX:TieredStopAtLevel=1 -cp /usr/share/java/Saxon-HE.jar net.sf.saxon.Transform -s:'{}' "
            "-xsl:'{}' -o:'{}'",
            (work.path / std::to_string(count)).string(), (*rules / (std::string(family) + ".xsl")).string(),
            out.string());
        fs::create_directory(out);
        if (run(command) != 0) throw std::runtime_error(std::string("Saxon fails on ") + family);
        return children_milliseconds() - start;
    };
    double reference = 0;
    for (const auto* family : {"ihe", "modeles-cda", "modeles-ans", "volet-2024.01"})
        reference += (saxon(family, many) - saxon(family, few)) / (many - few);
    fmt::print("ring 3, the same by Saxon, warm: {:.2f} ms of processor a document; {:.0f} times as much\n", reference,
               reference / native);
}

}  // namespace sgl::bench
