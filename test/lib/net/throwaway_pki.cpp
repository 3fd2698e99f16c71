#include "test/lib/net/throwaway_pki.hpp"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>
#include <stdexcept>

#include "lib/base/digest.hpp"

namespace sgl::test {

namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using File = std::unique_ptr<std::FILE, decltype(&std::fclose)>;

File create(const std::string& path) {
    File file(std::fopen(path.c_str(), "wb"), &std::fclose);
    if (!file) throw std::runtime_error("cannot write " + path);
    return file;
}

void extend(X509* certificate, X509* issuer, int which, const std::string& value) {
    X509V3_CTX context{};
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, which, value.c_str());
    if (extension == nullptr) throw std::runtime_error("bad extension " + value);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

/// `issuer` null: signs itself.
Certificate make(EVP_PKEY* key, const std::string& name, X509* issuer, EVP_PKEY* issuer_key, const std::string& hosts) {
    Certificate made(X509_new(), &X509_free);
    X509_set_version(made.get(), 2);
    const std::string random = random_token(4);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), std::stol(random.substr(0, 7), nullptr, 16) + 1);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), 24 * 3600);
    X509_set_pubkey(made.get(), key);
    X509_NAME* subject = X509_get_subject_name(made.get());
    X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>("Labo de test"), -1, -1, 0);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509* parent = issuer == nullptr ? made.get() : issuer;
    X509_set_issuer_name(made.get(), X509_get_subject_name(parent));
    if (issuer == nullptr) {
        extend(made.get(), parent, NID_basic_constraints, "critical,CA:TRUE");
        extend(made.get(), parent, NID_key_usage, "critical,keyCertSign,cRLSign");
    } else {
        extend(made.get(), parent, NID_basic_constraints, "critical,CA:FALSE");
        extend(made.get(), parent, NID_ext_key_usage, "serverAuth,clientAuth");
        extend(made.get(), parent, NID_subject_alt_name, hosts);
    }
    if (X509_sign(made.get(), issuer_key, EVP_sha256()) == 0) throw std::runtime_error("not signed");
    return made;
}

Key new_key() { return Key(EVP_EC_gen("P-256"), &EVP_PKEY_free); }

void save(const std::string& path, X509* certificate) { PEM_write_X509(create(path).get(), certificate); }
void save(const std::string& path, EVP_PKEY* key) {
    PEM_write_PrivateKey(create(path).get(), key, nullptr, nullptr, 0, nullptr, nullptr);
}

Certificate load_certificate(const std::string& path) {
    const File file(std::fopen(path.c_str(), "rb"), &std::fclose);
    return Certificate(PEM_read_X509(file.get(), nullptr, nullptr, nullptr), &X509_free);
}

Key load_key(const std::string& path) {
    const File file(std::fopen(path.c_str(), "rb"), &std::fclose);
    return Key(PEM_read_PrivateKey(file.get(), nullptr, nullptr, nullptr), &EVP_PKEY_free);
}

void new_authority(const std::string& path, const std::string& name) {
    const Key key = new_key();
    const Certificate certificate = make(key.get(), name, nullptr, key.get(), "");
    save(path + ".pem", certificate.get());
    save(path + ".key", key.get());
}

net::TlsFiles issue_under(const ThrowawayPki& pki, const std::string& authority, const std::string& name,
                          const std::string& hosts) {
    const Certificate issuer = load_certificate(pki.path(authority + ".pem"));
    const Key issuer_key = load_key(pki.path(authority + ".key"));
    const Key key = new_key();
    const Certificate certificate = make(key.get(), name, issuer.get(), issuer_key.get(), hosts);
    const std::string stem = random_token(6);
    save(pki.path(stem + ".pem"), certificate.get());
    save(pki.path(stem + ".key"), key.get());
    return net::TlsFiles{pki.path(stem + ".pem"), pki.path(stem + ".key"), pki.ca()};
}

}  // namespace

ThrowawayPki::ThrowawayPki() : folder_(std::filesystem::temp_directory_path() / ("sgl-pki-" + random_token(8))) {
    std::filesystem::create_directory(folder_);
    new_authority(path("ca"), "AC de test");
    new_authority(path("stranger"), "AC inconnue");
}

ThrowawayPki::~ThrowawayPki() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

net::TlsFiles ThrowawayPki::issue(const std::string& common_name) const {
    return issue_under(*this, "ca", common_name, "DNS:localhost,IP:127.0.0.1");
}

net::TlsFiles ThrowawayPki::issue_by_stranger(const std::string& common_name) const {
    return issue_under(*this, "stranger", common_name, "DNS:localhost,IP:127.0.0.1");
}

net::TlsFiles ThrowawayPki::issue_for_other_host() const {
    return issue_under(*this, "ca", "elsewhere.test", "DNS:elsewhere.test");
}

}  // namespace sgl::test
