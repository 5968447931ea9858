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

Result<void> readable(const std::string& key, const std::string& file) {
  if (::access(file.c_str(), R_OK) != 0) {
    return fail(Errc::config, key + ": cannot read " + file + ": " + std::strerror(errno) +
                                  "; give the path of a PEM file this user may read");
  }
  return ok();
}

/// What both have in common. `keys`: the section of the configuration, for messages.
Result<std::shared_ptr<ssl::context>> make_context(const std::string& keys,
                                                   const std::string& cert_file,
                                                   const std::string& key_file) {
  const std::string cert = keys + ".cert", key = keys + ".key";
  TRYV(readable(cert, cert_file));
  TRYV(readable(key, key_file));
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX* const ctx = context->native_handle();
  SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                               SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_COMPRESSION);
  // An idle TLS connection must not pin its 34 KiB of record buffers.
  SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(ctx, cert_file.c_str()) != 1) {
    return fail(Errc::config, cert + ": " + cert_file + ": " + openssl_reason() +
                                  "; expected a PEM certificate chain, the server's own first");
  }
  if (SSL_CTX_use_PrivateKey_file(ctx, key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return fail(Errc::config, key + ": " + key_file + ": " + openssl_reason() +
                                  "; expected the unencrypted PEM private key of " + cert);
  }
  if (SSL_CTX_check_private_key(ctx) != 1) {
    return fail(Errc::config, key + ": " + key_file + " does not belong to " + cert_file);
  }
  return context;
}

/// A client that offers protocols must offer ours; one that does not use ALPN never comes here.
int choose_sunrpc(SSL* /*ssl*/,
                  const unsigned char** out,
                  unsigned char* out_size,
                  const unsigned char* offered,
                  unsigned int offered_size,
                  void* /*unused*/) {
  static constexpr unsigned char kSunrpc[] = "\x06sunrpc";
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, kSunrpc, sizeof kSunrpc - 1, offered,
                            offered_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

Result<std::shared_ptr<ssl::context>> make_tls_context(const std::string& cert_file,
                                                       const std::string& key_file) {
  TRY(std::shared_ptr<ssl::context> context, make_context("server.tls", cert_file, key_file));
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context->native_handle(), "ECDHE+AESGCM:ECDHE+CHACHA20");
  return context;
}

Result<std::shared_ptr<ssl::context>> make_nfs_tls_context(const std::string& cert_file,
                                                           const std::string& key_file,
                                                           const std::string& client_ca_file) {
  TRY(std::shared_ptr<ssl::context> context, make_context("nfs.tls", cert_file, key_file));
  SSL_CTX* const ctx = context->native_handle();
  SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
  SSL_CTX_set_alpn_select_cb(ctx, choose_sunrpc, nullptr);
  // A resumed session would bring the client's identity of an earlier connection.
  SSL_CTX_set_num_tickets(ctx, 0);
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  if (!client_ca_file.empty()) {
    TRYV(readable("nfs.tls.client_ca", client_ca_file));
    ERR_clear_error();
    if (SSL_CTX_load_verify_locations(ctx, client_ca_file.c_str(), nullptr) != 1) {
      return fail(Errc::config, "nfs.tls.client_ca: " + client_ca_file + ": " + openssl_reason() +
                                    "; expected the PEM certificates of client authorities");
    }
    SSL_CTX_set_client_CA_list(ctx, SSL_load_client_CA_file(client_ca_file.c_str()));
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, nullptr);
  }
  return context;
}

}  // namespace outcrop::server
