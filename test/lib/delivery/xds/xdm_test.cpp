#include "lib/delivery/xds/xdm.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zip.h>

#include <algorithm>
#include <map>

#include "test/lib/delivery/xds/reading.hpp"
#include "test/lib/delivery/xds/samples.hpp"

namespace sgl::xds {
namespace {

using test::select;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const XdmSender sender{"LABORATOIRE <EXEMPLE> & Fils", "SELAS EXEMPLE", "990000025", "1 rue de la Paix, 75002 Paris", "0102030405"};

std::string zip_of(const std::string& document) {
    auto made = xdm_zip(test::submission("urn:uuid:0f5a1c52-5a0e-4d5e-9d0a-3d2a6f5b0001", "urn:uuid:0f5a1c52-5a0e-4d5e-9d0a-3d2a6f5b0002"),
                        document, sender);
    EXPECT_TRUE(made) << to_string(made.error());
    return *made;
}

struct Opened {
    std::vector<std::string> names;
    std::map<std::string, std::string> bytes;
    bool encrypted{false};
};

Opened opened(const std::string& archive) {
    Opened out;
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t* source = zip_source_buffer_create(archive.data(), archive.size(), 0, &error);
    zip_t* zip = zip_open_from_source(source, ZIP_CHECKCONS | ZIP_RDONLY, &error);
    EXPECT_NE(zip, nullptr);
    if (zip == nullptr) return out;
    for (zip_int64_t i = 0; i < zip_get_num_entries(zip, 0); ++i) {
        zip_stat_t stat;
        zip_stat_index(zip, static_cast<zip_uint64_t>(i), 0, &stat);
        out.encrypted = out.encrypted || stat.encryption_method != ZIP_EM_NONE;
        std::string bytes(stat.size, '\0');
        zip_file_t* file = zip_fopen_index(zip, static_cast<zip_uint64_t>(i), 0);
        EXPECT_EQ(zip_fread(file, bytes.data(), bytes.size()), static_cast<zip_int64_t>(bytes.size()));
        EXPECT_EQ(zip_fclose(file), 0);  // checks the CRC
        out.names.emplace_back(stat.name);
        out.bytes[stat.name] = std::move(bytes);
    }
    zip_discard(zip);
    return out;
}

TEST(XdmZip, HasTheLayoutOfIti32) {
    const std::string document = "<?xml version=\"1.0\"?><ClinicalDocument>é</ClinicalDocument>";
    const auto zip = opened(zip_of(document));
    EXPECT_THAT(zip.names, ElementsAre("INDEX.HTM", "README.TXT", "IHE_XDM/SUBSET01/METADATA.XML", "IHE_XDM/SUBSET01/DOC0001.XML"));
    EXPECT_FALSE(zip.encrypted);
    EXPECT_EQ(zip.bytes.at("IHE_XDM/SUBSET01/DOC0001.XML"), document);
}

TEST(XdmZip, DescribesTheBytesThatItHolds) {
    const std::string document(100000, 'x');
    const auto zip = opened(zip_of(document));
    const auto& metadata = zip.bytes.at("IHE_XDM/SUBSET01/METADATA.XML");
    EXPECT_THAT(select(metadata, "//rim:Slot[@name='hash']//rim:Value"), ElementsAre(to_hex(sha1(document))));
    EXPECT_THAT(select(metadata, "//rim:Slot[@name='size']//rim:Value"), ElementsAre("100000"));
    EXPECT_THAT(select(metadata, "//rim:Slot[@name='URI']//rim:Value"), ElementsAre("DOC0001.XML"));
}

TEST(XdmZip, IsTheSameBytesForTheSameInput) {
    const std::string first = zip_of("<a/>");
    EXPECT_EQ(first, zip_of("<a/>"));
    EXPECT_NE(first, zip_of("<b/>"));
}

TEST(XdmZip, SpeaksFrenchToAPerson) {
    const auto zip = opened(zip_of("<a/>"));
    const auto& readme = zip.bytes.at("README.TXT");
    for (const char* part : {"Emetteur :\r\n  Nom : LABORATOIRE <EXEMPLE> & Fils\r\n", "Téléphone : 0102030405", "Application de l'émetteur :",
                             "Instructions :", "messagerie sécurisée de santé", "Arborescence :"}) {
        EXPECT_THAT(readme, HasSubstr(part));
    }
    const auto& index = zip.bytes.at("INDEX.HTM");
    EXPECT_THAT(index, HasSubstr("XHTML Basic 1.0"));
    EXPECT_THAT(select(index, "//*[local-name()='a']/@href"), ElementsAre("README.TXT"));
    EXPECT_THAT(select(index, "//*[local-name()='p'][1]"), ElementsAre("Emetteur : LABORATOIRE <EXEMPLE> & Fils (990000025)"));
}

TEST(XdmZip, NamesNoPatientOutsideTheMetadataAndTheDocument) {
    const auto zip = opened(zip_of("<a/>"));
    for (const char* name : {"INDEX.HTM", "README.TXT"}) {
        EXPECT_EQ(zip.bytes.at(name).find("PAT-TROIS"), std::string::npos);
        EXPECT_EQ(zip.bytes.at(name).find("279035121518989"), std::string::npos);
    }
}

TEST(XdmZip, HoldsOneDocumentOnly) {
    auto two = test::submission("urn:uuid:1", "urn:uuid:2");
    two.documents.push_back(two.documents[0]);
    EXPECT_EQ(xdm_zip(two, "<a/>", sender).error().fault, Fault::unsupported);
}

TEST(XdmZip, TellsWhatTheMetadataLack) {
    auto submission = test::submission("urn:uuid:1", "urn:uuid:2");
    submission.documents[0].type_code = {};
    EXPECT_EQ(xdm_zip(submission, "<a/>", sender).error().fault, Fault::missing);
}

}  // namespace
}  // namespace sgl::xds
