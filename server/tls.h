// The OpenSSL server context: TLS 1.2 and later, AEAD ciphers, one certificate chain and its key.
#pragma once
#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

#include "storage/base/result.h"

namespace outcrop::server {

/// PEM files. Errors: config, with one line that names the file and what is wrong with it.
Result<std::shared_ptr<boost::asio::ssl::context>> make_tls_context(const std::string& cert_file,
                                                                    const std::string& key_file);

}  // namespace outcrop::server
