#include "lib/compose/pdf_a.hpp"

#define POINTERHOLDER_TRANSITION 4  // qpdf: std::shared_ptr only

#include <fmt/format.h>

#include <cstdlib>
#include <memory>
#include <qpdf/Buffer.hh>
#include <qpdf/QPDF.hh>
#include <qpdf/QPDFObjectHandle.hh>
#include <qpdf/QPDFWriter.hh>

#include "lib/base/text.hpp"

namespace sgl::compose {

namespace {

constexpr std::string_view producer = "sgld " SGL_VERSION;

std::string escaped(std::string text) {
    text = replace_all(std::move(text), "&", "&amp;");
    text = replace_all(std::move(text), "<", "&lt;");
    return replace_all(std::move(text), ">", "&gt;");
}

/// Pages and form XObjects: a transparency group is forbidden.
/// CID fonts: CIDToGIDMap and CIDSet are required.
void amend(QPDF& pdf) {
    for (auto object : pdf.getAllObjects()) {
        if (object.isStream()) {
            auto dictionary = object.getDict();
            if (dictionary.isDictionaryOfType("", "/Form")) dictionary.removeKey("/Group");
            continue;
        }
        if (!object.isDictionary()) continue;
        if (object.isDictionaryOfType("/Page")) object.removeKey("/Group");
        if (!object.isDictionaryOfType("/Font", "/CIDFontType2")) continue;
        object.replaceKey("/CIDToGIDMap", QPDFObjectHandle::newName("/Identity"));
        std::string bits;
        const auto mark = [&bits](long long cid) {
            const auto index = static_cast<std::size_t>(cid);
            if (bits.size() <= index / 8) bits.resize(index / 8 + 1, '\0');
            bits[index / 8] = static_cast<char>(static_cast<unsigned char>(bits[index / 8]) | (0x80U >> (index % 8)));
        };
        mark(0);
        auto widths = object.getKey("/W");
        for (int i = 0; i + 1 < widths.getArrayNItems();) {
            const long long first = widths.getArrayItem(i).getIntValue();
            if (auto second = widths.getArrayItem(i + 1); second.isArray()) {
                for (int k = 0; k < second.getArrayNItems(); ++k) mark(first + k);
                i += 2;
            } else {
                for (long long cid = first; cid <= second.getIntValue(); ++cid) mark(cid);
                i += 3;
            }
        }
        object.getKey("/FontDescriptor").replaceKey("/CIDSet", pdf.newStream(bits));
    }
}

std::string offset(const Timestamp& t, std::string_view between, std::string_view after) {
    const int minutes = t.offset_minutes.value_or(0);
    return fmt::format("{}{:02}{}{:02}{}", minutes < 0 ? '-' : '+', std::abs(minutes) / 60, between, std::abs(minutes) % 60, after);
}

std::string xmp(const PdfInfo& info) {
    const auto& t = info.created;
    return fmt::format(
        "<?xpacket begin=\"\xEF\xBB\xBF\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n"
        R"(<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:format>application/pdf</dc:format>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{}</rdf:li></rdf:Alt></dc:title>
<dc:creator><rdf:Seq><rdf:li>{}</rdf:li></rdf:Seq></dc:creator>
</rdf:Description>
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/">
<xmp:CreateDate>{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}</xmp:CreateDate>
</rdf:Description>
<rdf:Description rdf:about="" xmlns:pdf="http://ns.adobe.com/pdf/1.3/">
<pdf:Producer>{}</pdf:Producer>
</rdf:Description>
<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/">
<pdfaid:part>1</pdfaid:part>
<pdfaid:conformance>B</pdfaid:conformance>
</rdf:Description>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>)",
        escaped(info.title), escaped(info.author), t.year, t.month, t.day, t.hour, t.minute, t.second, offset(t, ":", ""),
        producer);
}

}  // namespace

std::string to_pdf_a(const std::string& cairo_pdf, const PdfInfo& info, std::string_view icc_profile) {
    QPDF pdf;
    pdf.processMemoryFile("report", cairo_pdf.data(), cairo_pdf.size());
    amend(pdf);

    auto root = pdf.getRoot();
    auto profile = pdf.newStream(std::string(icc_profile));
    profile.getDict().replaceKey("/N", QPDFObjectHandle::newInteger(3));
    auto intent = QPDFObjectHandle::newDictionary();
    intent.replaceKey("/Type", QPDFObjectHandle::newName("/OutputIntent"));
    intent.replaceKey("/S", QPDFObjectHandle::newName("/GTS_PDFA1"));
    intent.replaceKey("/OutputConditionIdentifier", QPDFObjectHandle::newString("sRGB IEC61966-2.1"));
    intent.replaceKey("/Info", QPDFObjectHandle::newString("sRGB IEC61966-2.1"));
    intent.replaceKey("/DestOutputProfile", profile);
    auto intents = QPDFObjectHandle::newArray();
    intents.appendItem(intent);
    root.replaceKey("/OutputIntents", intents);

    auto metadata = pdf.newStream(xmp(info));
    metadata.getDict().replaceKey("/Type", QPDFObjectHandle::newName("/Metadata"));
    metadata.getDict().replaceKey("/Subtype", QPDFObjectHandle::newName("/XML"));
    root.replaceKey("/Metadata", metadata);
    root.replaceKey("/Lang", QPDFObjectHandle::newString("fr-FR"));

    const auto& t = info.created;
    auto dictionary = QPDFObjectHandle::newDictionary();
    dictionary.replaceKey("/Title", QPDFObjectHandle::newUnicodeString(info.title));
    dictionary.replaceKey("/Author", QPDFObjectHandle::newUnicodeString(info.author));
    dictionary.replaceKey("/Producer", QPDFObjectHandle::newUnicodeString(std::string(producer)));
    dictionary.replaceKey("/CreationDate",
                          QPDFObjectHandle::newString(fmt::format("D:{:04}{:02}{:02}{:02}{:02}{:02}{}", t.year, t.month, t.day,
                                                                  t.hour, t.minute, t.second, offset(t, "'", "'"))));
    pdf.getTrailer().replaceKey("/Info", pdf.makeIndirectObject(dictionary));

    QPDFWriter writer(pdf);
    writer.setOutputMemory();
    writer.setObjectStreamMode(qpdf_o_disable);
    writer.forcePDFVersion("1.4");
    writer.setNewlineBeforeEndstream(true);
    writer.setDeterministicID(true);
    writer.write();
    const auto buffer = writer.getBufferSharedPointer();
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes
    return {reinterpret_cast<const char*>(buffer->getBuffer()), buffer->getSize()};
}

}  // namespace sgl::compose
