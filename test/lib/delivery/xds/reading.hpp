// Reads what we wrote with somebody else's eyes: libxml2 for values, the official ebRIM schema for the form.
#pragma once

#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "lib/base/digest.hpp"

namespace sgl::test {

/// The string values of an XPath, or `(not well-formed)`.
inline std::vector<std::string> select(const std::string& xml, const std::string& xpath) {
    const std::unique_ptr<xmlDoc, decltype(&xmlFreeDoc)> document(
        xmlReadMemory(xml.data(), static_cast<int>(xml.size()), "metadata.xml", nullptr, XML_PARSE_NONET), &xmlFreeDoc);
    if (!document) return {"(not well-formed)"};
    const std::unique_ptr<xmlXPathContext, decltype(&xmlXPathFreeContext)> context(xmlXPathNewContext(document.get()),
                                                                                   &xmlXPathFreeContext);
    const auto bind = [&](const char* prefix, const char* uri) {
        xmlXPathRegisterNs(context.get(), reinterpret_cast<const xmlChar*>(prefix), reinterpret_cast<const xmlChar*>(uri));
    };
    bind("rim", "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0");
    bind("lcm", "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0");
    const std::unique_ptr<xmlXPathObject, decltype(&xmlXPathFreeObject)> found(
        xmlXPathEval(reinterpret_cast<const xmlChar*>(xpath.c_str()), context.get()), &xmlXPathFreeObject);
    std::vector<std::string> values;
    if (!found || found->nodesetval == nullptr) return values;
    for (int i = 0; i < found->nodesetval->nodeNr; ++i) {
        xmlChar* text = xmlNodeGetContent(found->nodesetval->nodeTab[i]);
        values.emplace_back(reinterpret_cast<const char*>(text));
        xmlFree(text);
    }
    return values;
}

/// What xmllint says against `schema` (below the shared folder's ihe/); empty when valid.
inline std::string schema_complaints(const std::string& xml, const std::filesystem::path& ihe, const std::string& schema) {
    const auto file = std::filesystem::temp_directory_path() / ("sgl-xds-" + random_token(8) + ".xml");
    std::ofstream(file, std::ios::binary) << xml;
    const std::string command = "XML_CATALOG_FILES=" + (ihe / "catalog.xml").string() + " xmllint --nonet --noout --schema " +
                                (ihe / schema).string() + " " + file.string() + " 2>&1";
    std::string said;
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(::popen(command.c_str(), "r"), &::pclose);
    for (int c = 0; (c = std::fgetc(pipe.get())) != EOF;) said += static_cast<char>(c);
    std::filesystem::remove(file);
    if (said.find(file.filename().string() + " validates") != std::string::npos) return {};
    return said.empty() ? "xmllint said nothing" : said;
}

}  // namespace sgl::test
