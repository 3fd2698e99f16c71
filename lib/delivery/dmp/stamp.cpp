#include "lib/delivery/dmp/stamp.hpp"

#include <libxml/xmlsave.h>
#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <xmlsec/crypto.h>
#include <xmlsec/xmldsig.h>
#include <xmlsec/xmlsec.h>
#include <xmlsec/xmltree.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>

#include "lib/base/digest.hpp"
#include "lib/delivery/dmp/xml.hpp"

namespace sgl::dmp {

namespace {

template <auto free_function>
struct Free {
    template <class T>
    void operator()(T* pointer) const {
        free_function(pointer);
    }
};
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using PrivateKey = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Bio = std::unique_ptr<BIO, Free<BIO_free_all>>;
using BigNumber = std::unique_ptr<BIGNUM, Free<BN_free>>;

constexpr std::size_t largest_file = 1024 * 1024;
constexpr std::size_t longest_chain = 8;

Result<std::string> read_file(const std::string& path) {
    std::ifstream in{path, std::ios::binary};
    if (!in) return Error{Fault::missing, path, "this file cannot be opened"};
    std::string bytes{std::istreambuf_iterator<char>{in}, {}};
    if (bytes.size() > largest_file) return Error{Fault::malformed, path, "this file is too large for certificates"};
    return bytes;
}

Bio memory_bio(std::string_view bytes) {
    return Bio{BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size()))};
}

std::string content_of(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

Result<std::vector<Certificate>> read_certificates(const std::string& path) {
    const auto bytes = read_file(path);
    if (!bytes) return bytes.error();
    const auto bio = memory_bio(*bytes);
    std::vector<Certificate> found;
    while (Certificate one{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)})
        found.push_back(std::move(one));
    if (found.empty()) return Error{Fault::malformed, path, "this file holds no PEM certificate"};
    return found;
}

/// RFC 2253 order, in UTF-8 as it is: no \xx for accented letters (dmp.md 4).
std::string name_of(const X509_NAME* name) {
    const Bio bio{BIO_new(BIO_s_mem())};
    constexpr unsigned long form = XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB);
    X509_NAME_print_ex(bio.get(), name, 0, form);
    return content_of(bio.get());
}

std::string serial_of(const X509* certificate) {
    const BigNumber number{ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr)};
    char* text = number ? BN_bn2dec(number.get()) : nullptr;
    std::string serial = text == nullptr ? "" : text;
    OPENSSL_free(text);
    return serial;
}

std::string der_of(const X509* certificate) {
    unsigned char* bytes = nullptr;
    const int size = i2d_X509(certificate, &bytes);
    if (size <= 0) return {};
    std::string der(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    OPENSSL_free(bytes);
    return der;
}

template <class Digest>
std::string base64_of(const Digest& digest) {
    return base64_encode(std::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()));
}
std::string base64_digest(std::string_view bytes, bool by_sha1) {
    return by_sha1 ? base64_of(sha1(bytes)) : base64_of(sha256(bytes));
}

/// Is this structure one of the OU of its subject?
bool is_of_structure(const X509* certificate, std::string_view structure_id) {
    const auto* subject = X509_get_subject_name(certificate);
    int index = -1;
    while ((index = X509_NAME_get_index_by_NID(subject, NID_organizationalUnitName, index)) >= 0) {
        unsigned char* text = nullptr;
        const int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index)));
        if (size < 0) continue;
        const bool same =
            structure_id == std::string_view(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size));
        OPENSSL_free(text);
        if (same) return true;
    }
    return false;
}

bool issued_by(X509* certificate, X509* issuer) {
    return X509_check_issued(issuer, certificate) == X509_V_OK;
}

/// From `path`, each certificate after the one before; then from the authorities until a self-signed one.
std::vector<Certificate> whole_chain(std::vector<Certificate> own, std::vector<Certificate> authorities) {
    std::vector<Certificate> chain;
    chain.push_back(std::move(own.front()));
    std::vector<Certificate> others;
    for (auto& one : std::span(own).subspan(1))
        others.push_back(std::move(one));
    for (auto& one : authorities)
        others.push_back(std::move(one));
    while (chain.size() < longest_chain && !issued_by(chain.back().get(), chain.back().get())) {
        Certificate next;
        for (auto& one : others) {
            if (one && issued_by(chain.back().get(), one.get())) {
                next = std::move(one);
                break;
            }
        }
        if (!next) break;
        chain.push_back(std::move(next));
    }
    return chain;
}

void start_xmlsec() {
    static const bool ready = [] {
        return xmlSecInit() >= 0 && xmlSecCryptoAppInit(nullptr) >= 0 && xmlSecCryptoInit() >= 0;
    }();
    if (!ready) throw std::runtime_error("xmlsec cannot start");
}

using XmlsecKey = std::unique_ptr<xmlSecKey, Free<xmlSecKeyDestroy>>;
using XmlBuffer = std::unique_ptr<xmlBuffer, Free<xmlBufferFree>>;

class SigningContext {
public:
    explicit SigningContext(XmlsecKey key) {
        usable_ = xmlSecDSigCtxInitialize(&context_, nullptr) == 0;
        context_.signKey = key.release();
        context_.flags = XMLSEC_DSIG_FLAGS_IGNORE_MANIFESTS;
        context_.enabledReferenceUris = xmlSecTransformUriTypeSameDocument;
    }
    SigningContext(const SigningContext&) = delete;
    SigningContext& operator=(const SigningContext&) = delete;
    ~SigningContext() { xmlSecDSigCtxFinalize(&context_); }

    bool sign(xmlNode* signature) {
        return usable_ && xmlSecDSigCtxSign(&context_, signature) == 0 && context_.status == xmlSecDSigStatusSucceeded;
    }

private:
    xmlSecDSigCtx context_{};
    bool usable_{false};
};

std::string stamp_of_file(const std::string& path) {
    std::error_code failed;
    const auto time = std::filesystem::last_write_time(path, failed);
    if (failed) return path + " absent;";
    const auto size = std::filesystem::file_size(path, failed);
    return path + ' ' + std::to_string(time.time_since_epoch().count()) + ' ' + std::to_string(size) + ';';
}

}  // namespace

struct StampContent {
    std::string certificate_path;
    std::string tls_path;
    std::vector<Certificate> chain;
    std::vector<Certificate> tls;
    XmlsecKey key;
    std::string subject;
    std::string certificate;
    std::vector<Stamp::Link> links;
    bool by_sha1{};
};

Stamp::Stamp(StampContent content) : content_(std::make_unique<StampContent>(std::move(content))) {}
Stamp::~Stamp() = default;

const std::string& Stamp::subject() const {
    return content_->subject;
}
const std::string& Stamp::certificate() const {
    return content_->certificate;
}
const std::vector<Stamp::Link>& Stamp::chain() const {
    return content_->links;
}
std::string Stamp::digest(std::string_view bytes) const {
    return base64_digest(bytes, content_->by_sha1);
}
std::string_view Stamp::digest_method() const {
    return content_->by_sha1 ? "http://www.w3.org/2000/09/xmldsig#sha1" : "http://www.w3.org/2001/04/xmlenc#sha256";
}
std::string_view Stamp::signature_method() const {
    return content_->by_sha1 ? "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
                             : "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
}

Result<std::shared_ptr<const Stamp>> Stamp::read(const delivery::DmpPartner& partner) {
    start_xmlsec();
    auto own = read_certificates(partner.sign_certificate);
    if (!own) return own.error();
    auto authorities = read_certificates(partner.ca);
    if (!authorities) return authorities.error();
    auto tls = read_certificates(partner.tls_certificate);
    if (!tls) return tls.error();
    const auto key_bytes = read_file(partner.sign_key);
    if (!key_bytes) return key_bytes.error();
    const auto key_bio = memory_bio(*key_bytes);
    const PrivateKey key{PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, nullptr)};
    if (!key) return Error{Fault::malformed, partner.sign_key, "this file holds no PEM key (not encrypted)"};

    auto* const leaf = own->front().get();
    if (X509_check_private_key(leaf, key.get()) != 1) {
        return Error{Fault::conflict, partner.sign_key, "this key is not the one of the stamp certificate"};
    }
    if (!is_of_structure(leaf, partner.structure_id)) {
        return Error{Fault::conflict, partner.sign_certificate,
                     "the structure (OU) of this certificate is not the partner's structure_id"};
    }
    if (!is_of_structure(tls->front().get(), partner.structure_id)) {
        return Error{Fault::conflict, partner.tls_certificate,
                     "the structure (OU) of this certificate is not the partner's structure_id"};
    }
    if (X509_cmp(tls->front().get(), leaf) == 0) {
        return Error{Fault::conflict, partner.sign_certificate, "this is the TLS certificate, not a stamp"};
    }

    StampContent content;
    content.certificate_path = partner.sign_certificate;
    content.tls_path = partner.tls_certificate;
    content.subject = name_of(X509_get_subject_name(leaf));
    content.certificate = base64_encode(der_of(leaf));
    content.chain = whole_chain(std::move(*own), std::move(*authorities));
    content.tls = std::move(*tls);
    content.by_sha1 = partner.digest == "sha1";
    for (const auto& one : content.chain) {
        content.links.push_back({name_of(X509_get_issuer_name(one.get())), serial_of(one.get()),
                                 base64_digest(der_of(one.get()), content.by_sha1)});
    }
    content.key.reset(xmlSecCryptoAppKeyLoadMemory(reinterpret_cast<const xmlSecByte*>(key_bytes->data()),
                                                   static_cast<xmlSecSize>(key_bytes->size()), xmlSecKeyDataFormatPem,
                                                   nullptr, nullptr, nullptr));
    if (!content.key) return Error{Fault::malformed, partner.sign_key, "this key cannot sign"};
    return std::shared_ptr<const Stamp>(std::make_shared<Stamp>(std::move(content)));
}

Result<void> Stamp::check(Instant now) const {
    auto seconds =
        std::chrono::system_clock::to_time_t(std::chrono::time_point_cast<std::chrono::system_clock::duration>(now));
    const auto valid = [&](const X509* certificate) {
        return X509_cmp_time(X509_get0_notBefore(certificate), &seconds) < 0 &&
               X509_cmp_time(X509_get0_notAfter(certificate), &seconds) > 0;
    };
    for (const auto& one : content_->chain) {
        if (!valid(one.get()))
            return Error{Fault::refused, content_->certificate_path,
                         "the stamp certificate or one of its issuers is out of date"};
    }
    if (!valid(content_->tls.front().get()))
        return Error{Fault::refused, content_->tls_path, "the TLS certificate is out of date"};
    return {};
}

Result<std::string> Stamp::sign(std::string_view xml) const {
    auto document = read_xml(xml, Origin::ours);
    if (!document) return document.error();
    xmlNode* const root = xmlDocGetRootElement(document->get());
    std::array<const xmlChar*, 3> names{reinterpret_cast<const xmlChar*>("ID"), reinterpret_cast<const xmlChar*>("Id"),
                                        nullptr};
    xmlSecAddIDs(document->get(), root, names.data());
    auto* const signature = const_cast<xmlNode*>(find_element(root, "http://www.w3.org/2000/09/xmldsig#", "Signature"));
    if (signature == nullptr) return Error{Fault::missing, "ds:Signature", "there is nothing to sign"};
    SigningContext context{XmlsecKey{xmlSecKeyDuplicate(content_->key.get())}};
    if (!context.sign(signature)) return Error{Fault::refused, "ds:Signature", "the signature cannot be made"};

    const XmlBuffer buffer{xmlBufferCreate()};
    auto* const save = xmlSaveToBuffer(buffer.get(), "UTF-8", XML_SAVE_NO_DECL | XML_SAVE_AS_XML);
    if (save == nullptr || xmlSaveTree(save, root) < 0 || xmlSaveClose(save) < 0) {
        return Error{Fault::refused, "ds:Signature", "the signed text cannot be written"};
    }
    return std::string(reinterpret_cast<const char*>(xmlBufferContent(buffer.get())),
                       static_cast<std::size_t>(xmlBufferLength(buffer.get())));
}

Result<std::shared_ptr<const Stamp>> Stamps::at(Instant now) {
    const std::scoped_lock lock{mutex_};
    std::string files;
    for (const auto* path : {&partner_.sign_certificate, &partner_.sign_key, &partner_.ca, &partner_.tls_certificate}) {
        files += stamp_of_file(*path);
    }
    if (!stamp_ || files != files_) {
        auto read = Stamp::read(partner_);
        if (!read) return read.error();
        stamp_ = std::move(*read);
        files_ = std::move(files);
    }
    if (auto valid = stamp_->check(now); !valid) return valid.error();
    return stamp_;
}

}  // namespace sgl::dmp
