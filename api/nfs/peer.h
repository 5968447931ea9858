// The client side of a connection, as programs and exports judge it.
#pragma once
#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <string>

namespace outcrop::nfs {

/// The connection that a call came on; lives as long as its calls.
struct Peer {
  boost::asio::ip::address address{};
  std::uint16_t port = 0;
  std::uint64_t connection = 0;  ///< never the same for two connections of a server
  bool tls = false;
  std::string tls_name{};  ///< subject of the verified client certificate; empty without one
};

}  // namespace outcrop::nfs
