// The OpenSSL server contexts: AEAD ciphers, one certificate chain and its key.
#pragma once
#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

#include "storage/base/result.h"

namespace outcrop::server {

/// For HTTP: TLS 1.2 and later. PEM files. Errors: config, with one line that names the file and
/// what is wrong with it.
Result<std::shared_ptr<boost::asio::ssl::context>> make_tls_context(const std::string& cert_file,
                                                                    const std::string& key_file);

/// For RPC-with-TLS (RFC 9289): TLS 1.3, ALPN "sunrpc". With `client_ca_file` clients are asked for
/// a certificate; who has none is let in, for exports decide what they want to see.
Result<std::shared_ptr<boost::asio::ssl::context>> make_nfs_tls_context(
    const std::string& cert_file, const std::string& key_file, const std::string& client_ca_file);

}  // namespace outcrop::server
