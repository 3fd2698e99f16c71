#include "lib/delivery/xds/xdm.hpp"

#include <zip.h>

#include <array>
#include <chrono>
#include <memory>
#include <stdexcept>

#include "cda/xml_writer.hpp"
#include "lib/delivery/xds/registry.hpp"

namespace sgl::xds {

namespace {

constexpr std::string_view document_name = "DOC0001.XML";

struct DosTime {
    zip_uint16_t time;
    zip_uint16_t date;
};

DosTime dos_time(Instant at) {
    const auto day = std::chrono::floor<std::chrono::days>(at);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(at - day));
    const auto years = static_cast<unsigned>(static_cast<int>(date.year()) - 1980);
    const unsigned packed_date =
        years << 9U | static_cast<unsigned>(date.month()) << 5U | static_cast<unsigned>(date.day());
    const auto packed_time = static_cast<unsigned>(time.hours().count()) << 11U |
                             static_cast<unsigned>(time.minutes().count()) << 5U |
                             static_cast<unsigned>(time.seconds().count()) / 2U;
    return {static_cast<zip_uint16_t>(packed_time), static_cast<zip_uint16_t>(packed_date)};
}

struct Member {
    std::string_view name;
    std::string_view bytes;
};

[[noreturn]] void failed(std::string_view step) { throw std::runtime_error("libzip: " + std::string(step)); }

/// libzip fails here only for want of memory: that is the world being broken, not an answer.
template <std::size_t count>
std::string zipped(const std::array<Member, count>& members, DosTime when) {
    zip_error_t error;
    zip_error_init(&error);
    const std::unique_ptr<zip_source_t, decltype(&zip_source_free)> source(
        zip_source_buffer_create(nullptr, 0, 0, &error), &zip_source_free);
    if (!source) failed("no buffer");
    zip_source_keep(source.get());  // the archive consumes one reference; the result is read through ours
    zip_t* const archive = zip_open_from_source(source.get(), ZIP_TRUNCATE, &error);
    if (archive == nullptr) {
        zip_source_free(source.get());
        failed("no archive");
    }
    for (const auto& member : members) {
        zip_source_t* const bytes = zip_source_buffer(archive, member.bytes.data(), member.bytes.size(), 0);
        const std::string name(member.name);
        const zip_int64_t index = bytes == nullptr ? -1 : zip_file_add(archive, name.c_str(), bytes, ZIP_FL_ENC_UTF_8);
        if (index < 0) {
            zip_source_free(bytes);
            zip_discard(archive);
            failed("member not added");
        }
        const auto at = static_cast<zip_uint64_t>(index);
        constexpr zip_uint32_t level = 6;
        constexpr zip_uint32_t readable_file = 0100644U << 16U;
        zip_set_file_compression(archive, at, ZIP_CM_DEFLATE, level);
        zip_file_set_dostime(archive, at, when.time, when.date, 0);
        zip_file_set_external_attributes(archive, at, 0, ZIP_OPSYS_UNIX, readable_file);
    }
    if (zip_close(archive) != 0) {
        zip_discard(archive);
        failed("not closed");
    }
    zip_stat_t stat;
    if (zip_source_open(source.get()) != 0 || zip_source_stat(source.get(), &stat) != 0) failed("not read back");
    std::string out(stat.size, '\0');
    const zip_int64_t read = zip_source_read(source.get(), out.data(), out.size());
    zip_source_close(source.get());
    if (read != static_cast<zip_int64_t>(out.size())) failed("read short");
    return out;
}

/// Wording of the national tool (spec/mssante.md 4.1).
std::string readme(const XdmSender& sender) {
    std::string text;
    const auto line = [&](std::string_view content) { text.append(content).append("\r\n"); };
    const auto field = [&](std::string_view name, std::string_view value) {
        text.append("  ").append(name).append(" : ").append(value).append("\r\n");
    };
    line("Emetteur :");
    field("Nom", sender.name);
    field("Organisme", sender.organisation + " (" + sender.finess + ")");
    field("Adresse", sender.address);
    field("Téléphone", sender.phone);
    line("");
    line("Application de l'émetteur :");
    field("Nom", "sgld");
    field("Version", SGL_VERSION);
    field("Editeur", sender.name);
    line("");
    line("Instructions :");
    line("  Consultez les fichiers reçus par messagerie sécurisée de santé dans votre logiciel de professionnel de santé.");
    line("");
    line("Arborescence :");
    line("  README.TXT");
    line("  INDEX.HTM");
    line("  IHE_XDM");
    line("    SUBSET01");
    line("      METADATA.XML");
    line("      " + std::string(document_name));
    return text;
}

Result<std::string> index(const XdmSender& sender) {
    cda::XmlWriter w(1024);
    w.element("html", {{"xmlns", "http://www.w3.org/1999/xhtml"}, {"xml:lang", "fr"}}, [&] {
        w.element("head", {}, [&] { w.element("title", {}, "Compte rendu d'examens de biologie médicale"); });
        w.element("body", {}, [&] {
            w.element("p", {}, "Emetteur : " + sender.name + " (" + sender.finess + ")");
            w.element("p", {}, [&] {
                w.text("Voir le fichier ");
                w.element("a", {{"href", "README.TXT"}}, "ReadMe");
            });
        });
    });
    auto page = w.take();
    if (!page) return page;
    constexpr std::string_view doctype =
        "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML Basic 1.0//EN\" \"http://www.w3.org/TR/xhtml-basic/xhtml-basic10.dtd\">\n";
    page->insert(page->find('\n') + 1, doctype);
    return page;
}

}  // namespace

Result<std::string> xdm_zip(Submission submission, std::string_view document, const XdmSender& sender) {
    if (submission.documents.size() != 1) {
        return Error{Fault::unsupported, "XDM", "one package holds one document"};
    }
    auto& entry = submission.documents.front();
    entry.uri = document_name;
    describe_bytes(entry, document);
    const auto metadata = xdm_metadata(submission);
    if (!metadata) return metadata.error();
    const auto page = index(sender);
    if (!page) return page.error();
    const std::string text = readme(sender);
    const std::string document_path = "IHE_XDM/SUBSET01/" + std::string(document_name);
    const std::array members{
        Member{"INDEX.HTM", *page},
        Member{"README.TXT", text},
        Member{"IHE_XDM/SUBSET01/METADATA.XML", *metadata},
        Member{document_path, document},
    };
    return zipped(members, dos_time(submission.set.submission_time));
}

}  // namespace sgl::xds
