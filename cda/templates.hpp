// Identifiers of templates (models of the CI-SIS and of IHE PaLM XD-LAB that the document declares to follow).
// Source of each: spec/cr-bio.md, the section given; volet CR-BIO 2024.01.
#pragma once

#include <string_view>

namespace sgl::cda::templates {

// Document (section 4 #3), in this order.
inline constexpr std::string_view hl7_france = "2.16.840.1.113883.2.8.2.1";
inline constexpr std::string_view ci_sis_structure = "1.2.250.1.213.1.1.1.1";  // Structuration minimale
inline constexpr std::string_view xd_lab = "1.3.6.1.4.1.19376.1.3.3";          // IHE PaLM XD-LAB
inline constexpr std::string_view cr_bio = "1.2.250.1.213.1.1.1.55";           // volet CR-BIO
inline constexpr std::string_view cr_bio_version = "2024.01";

// Header.
inline constexpr std::string_view intended_recipient = "1.3.6.1.4.1.19376.1.3.3.1.4";   // 4 #17
inline constexpr std::string_view validator = "1.3.6.1.4.1.19376.1.3.3.1.5";            // 4 #19, 5.7
inline constexpr std::string_view prescriber = "1.3.6.1.4.1.19376.1.3.3.1.6";           // 4.3
inline constexpr std::string_view laboratory_performer = "1.3.6.1.4.1.19376.1.3.3.1.7"; // 4.4

// Sections (5).
inline constexpr std::string_view chapter_ihe = "1.3.6.1.4.1.19376.1.3.3.2.1";
inline constexpr std::string_view chapter_fr = "1.2.250.1.213.1.1.2.70";
inline constexpr std::string_view sub_chapter_ihe = "1.3.6.1.4.1.19376.1.3.3.2.2";
inline constexpr std::string_view sub_chapter_fr = "1.2.250.1.213.1.1.2.71";
inline constexpr std::string_view comment_section_hl7 = "2.16.840.1.113883.10.12.201";
inline constexpr std::string_view comment_section_ihe = "1.3.6.1.4.1.19376.1.4.1.2.16";
inline constexpr std::string_view comment_section_fr = "1.2.250.1.213.1.1.2.73";
inline constexpr std::string_view pdf_copy_section = "1.2.250.1.213.1.1.2.243";

// Entries.
inline constexpr std::string_view results_entry_ihe = "1.3.6.1.4.1.19376.1.3.1";  // 5.1
inline constexpr std::string_view results_entry_fr = "1.2.250.1.213.1.1.3.21";
inline constexpr std::string_view observation_ihe = "1.3.6.1.4.1.19376.1.3.1.6";  // 5.2
inline constexpr std::string_view observation_fr = "1.2.250.1.213.1.1.3.80";
inline constexpr std::string_view battery_ihe = "1.3.6.1.4.1.19376.1.3.1.4";  // 5.3
inline constexpr std::string_view battery_fr = "1.2.250.1.213.1.1.3.78";
inline constexpr std::string_view isolate_ihe = "1.3.6.1.4.1.19376.1.3.1.5";  // 5.4
inline constexpr std::string_view isolate_fr = "1.2.250.1.213.1.1.3.79";
inline constexpr std::string_view collection_ihe = "1.3.6.1.4.1.19376.1.3.1.2";  // 5.5
inline constexpr std::string_view collection_fr = "1.2.250.1.213.1.1.3.77";
inline constexpr std::string_view reception_ihe = "1.3.6.1.4.1.19376.1.3.1.3";
inline constexpr std::string_view reception_fr = "1.2.250.1.213.1.1.3.107";
inline constexpr std::string_view comment_ccd = "2.16.840.1.113883.10.20.1.40";  // 5.6
inline constexpr std::string_view comment_ihe = "1.3.6.1.4.1.19376.1.5.3.1.4.2";
inline constexpr std::string_view comment_fr = "1.2.250.1.213.1.1.3.32";
inline constexpr std::string_view attached_document = "1.2.250.1.213.1.1.3.18";
inline constexpr std::string_view simple_observation_ihe = "1.3.6.1.4.1.19376.1.5.3.1.4.13";
inline constexpr std::string_view simple_observation_fr = "1.2.250.1.213.1.1.3.48";
inline constexpr std::string_view attached_document_type = "1.2.250.1.213.1.1.3.48.18";
inline constexpr std::string_view body_participant = "1.2.250.1.213.1.1.3.109";  // 5.7
inline constexpr std::string_view body_performer = "1.2.250.1.213.1.1.3.23";     // 5.8

}  // namespace sgl::cda::templates
