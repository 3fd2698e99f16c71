// What METADATA.XML says against the document beside it: our own archive is right, each planted contradiction is found.
#include "lib/delivery/xds/check_xdm.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "cda/read.hpp"
#include "lib/base/text.hpp"
#include "lib/delivery/xds/xdm.hpp"
#include "test/lib/delivery/xds/samples.hpp"

namespace sgl::xds {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Members = std::vector<ArchiveMember>;

std::string golden() {
    std::ifstream file("test/golden/cr_bio_rich/cr_bio.xml", std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// An archive of ours around the golden document.
Members good() {
    const auto document = golden();
    const auto read = cda::read(document).value();
    auto submission = test::submission("urn:uuid:0f5a1c52-5a0e-4d5e-9d0a-3d2a6f5b0001",
                                       "urn:uuid:0f5a1c52-5a0e-4d5e-9d0a-3d2a6f5b0002");
    auto& entry = submission.documents[0];
    entry.unique_id = read.id.root;
    entry.creation_time = TimeZone::utc().to_instant(Timestamp::parse(read.time.value).value());
    entry.patient_id = Personal(PatientId{read.patient.ins()->extension, read.patient.ins()->root, "NH"});
    submission.set.patient_id = entry.patient_id;
    const auto archive = xdm_zip(submission, document, {"LABORATOIRE", "SELAS", "990000025", "Paris", "0102030405"});
    return read_archive(archive.value()).value();
}

ArchiveMember& metadata_of(Members& members) {
    for (auto& each : members)
        if (each.name.ends_with("METADATA.XML")) return each;
    throw std::logic_error("no metadata");
}

std::vector<std::string> found(const Members& members) {
    std::vector<std::string> all;
    for (const auto& each : check_submissions(members)) {
        EXPECT_FALSE(each.phrase.empty());
        EXPECT_TRUE(each.where.starts_with("IHE_XDM/SUBSET01")) << each.where;
        EXPECT_EQ(each.what.find("279035121518989"), std::string::npos);
        all.push_back(each.what);
    }
    return all;
}

std::vector<std::string> found_after(const std::string& from, const std::string& to) {
    auto members = good();
    auto& bytes = metadata_of(members).bytes;
    const auto at = bytes.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    if (at != std::string::npos) bytes.replace(at, from.size(), to);
    return found(members);
}

TEST(CheckXdm, FindsNothingInOurOwnArchive) {
    EXPECT_THAT(found(good()), IsEmpty());
}

TEST(CheckXdm, FindsEachContradictionWithTheDocument) {
    const auto read = cda::read(golden()).value();
    auto members = good();
    for (auto& each : members)
        if (each.name.ends_with("DOC0001.XML")) each.bytes += "\n";
    EXPECT_THAT(found(members), ElementsAre("the hash is not that of the file", "the size is not that of the file"));
    EXPECT_THAT(found_after("value=\"" + read.id.root + "\"", "value=\"1.2.3\""),
                ElementsAre("uniqueId is not that of the document"));
    EXPECT_THAT(found_after("nodeRepresentation=\"11502-2\"", "nodeRepresentation=\"11502-3\""),
                ElementsAre("typeCode is not that of the document"));
    EXPECT_THAT(found_after(">fr-FR<", ">en-US<"), ElementsAre("languageCode is not that of the document"));
    const auto time = to_hl7_utc(TimeZone::utc().to_instant(Timestamp::parse(read.time.value).value()));
    EXPECT_THAT(found_after(">" + time + "<", ">20200101000000<"),
                ElementsAre("creationTime is not that of the document"));
}

TEST(CheckXdm, FindsAnotherPatient) {
    auto members = good();
    auto& bytes = metadata_of(members).bytes;
    bytes = replace_all(bytes, "value=\"279035121518989^", "value=\"279035121518988^");
    EXPECT_THAT(found(members), ElementsAre("patientId is not that of the document",
                                            "the document has an INS and patientId is another identifier"));
    EXPECT_THAT(found_after("value=\"279035121518989^", "value=\"279035121518988^"),
                ElementsAre("document and submission set name two patients"));
}

TEST(CheckXdm, FindsFilesWithoutDescriptionAndDescriptionsWithoutFile) {
    auto members = good();
    members.push_back({"IHE_XDM/SUBSET01/DOC0002.PDF", "%PDF-"});
    EXPECT_THAT(found(members), ElementsAre("a file of the folder is described by no document entry"));
    std::erase_if(members, [](const ArchiveMember& each) { return each.name.find("DOC000") != std::string::npos; });
    EXPECT_THAT(found(members), ElementsAre("the file that is described is not in the folder"));
    std::erase_if(members, [](const ArchiveMember& each) { return each.name.ends_with("METADATA.XML"); });
    EXPECT_THAT(found(members), IsEmpty()) << "no folder at all: sgld check says that there is no document";
    members.push_back({"IHE_XDM/SUBSET01/DOC0001.XML", golden()});
    EXPECT_THAT(found(members), ElementsAre("the folder has no METADATA.XML"));
}

TEST(CheckXdm, FindsWhatTheMetadataLack) {
    EXPECT_THAT(found_after("name=\"hash\"", "name=\"sum\""), ElementsAre("the attribute hash is missing"));
    EXPECT_THAT(found_after("name=\"submissionTime\"", "name=\"time\""),
                ElementsAre("the attribute submissionTime is missing"));
    EXPECT_THAT(found_after("AssociationType:HasMember", "AssociationType:RPLC"),
                ElementsAre("no HasMember association joins the document to the submission set"));
    EXPECT_THAT(found_after(std::string(uuid::submission_set_node), "urn:uuid:1"),
                ElementsAre("there must be one submission set"));
}

TEST(CheckXdm, RefusesHostileMetadata) {
    for (const auto* bytes : {"<a/>", "", "<a", "<!DOCTYPE a><a/>"}) {
        auto members = good();
        metadata_of(members).bytes = bytes;
        EXPECT_EQ(found(members).size(), 1U) << bytes;
    }
}

}  // namespace
}  // namespace sgl::xds
