#include "server/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace outcrop::server {
namespace {

namespace ssl = boost::asio::ssl;

/// OpenSSL's own words for the last failure, e.g. "no start line".
std::string openssl_reason() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* text = code != 0 ? ERR_reason_error_string(code) : nullptr;
  return text != nullptr ? text : "unknown error";
}

Result<void> readable(const char* key, const std::string& file) {
  if (::access(file.c_str(), R_OK) != 0) {
    return fail(Errc::config, std::string(key) + ": cannot read " + file + ": " +
                                  std::strerror(errno) +
                                  "; give the path of a PEM file this user may read");
  }
  return ok();
}

}  // namespace

Result<std::shared_ptr<ssl::context>> make_tls_context(const std::string& cert_file,
                                                       const std::string& key_file) {
  TRYV(readable("server.tls.cert", cert_file));
  TRYV(readable("server.tls.key", key_file));
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX* const ctx = context->native_handle();
  SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20");
  SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                               SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_COMPRESSION);
  // An idle TLS connection must not pin its 34 KiB of record buffers.
  SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(ctx, cert_file.c_str()) != 1) {
    return fail(Errc::config, "server.tls.cert: " + cert_file + ": " + openssl_reason() +
                                  "; expected a PEM certificate chain, the server's own first");
  }
  if (SSL_CTX_use_PrivateKey_file(ctx, key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return fail(Errc::config, "server.tls.key: " + key_file + ": " + openssl_reason() +
                                  "; expected the unencrypted PEM private key of server.tls.cert");
  }
  if (SSL_CTX_check_private_key(ctx) != 1) {
    return fail(Errc::config, "server.tls.key: " + key_file + " does not belong to " + cert_file);
  }
  return context;
}

}  // namespace outcrop::server
