// RPC over UDP on a live socket: who gets an answer.
#include "server/rpc_datagrams.h"

#include <gtest/gtest.h>

#include <thread>

#include "api/nfs/portmap.h"
#include "tests/unit/api/nfs/rpc_calls.h"

namespace outcrop::server::testing {
namespace {

using asio::ip::udp;

class RpcDatagramsTest : public ::testing::Test {
 protected:
  RpcDatagramsTest() : server(io.get_executor(), exports, {&portmap}) {
    nfs::Export e;
    e.path = "/a";
    e.bucket = "a";
    e.clients = {*nfs::parse_cidr("127.0.0.0/8")};
    EXPECT_TRUE(exports.add(e).has_value());
    EXPECT_TRUE(server.bind({asio::ip::address_v4::loopback(), 0}).has_value());
    server.serve();
    thread = std::thread([this] { io.run(); });
  }
  ~RpcDatagramsTest() override {
    asio::co_spawn(io, server.stop(), [](std::exception_ptr) {});
    thread.join();
  }
  void send(const std::string& bytes) {
    client.send_to(asio::buffer(bytes), {asio::ip::address_v4::loopback(), server.port()});
  }
  static std::string get_port(std::uint32_t xid) {
    nfs::XdrWriter arguments;
    for (const std::uint32_t a : {nfs::kProgramNfs, 3u, 6u, 0u}) {
      arguments.u32(a);
    }
    return nfs::testing::call_bytes({.xid = xid,
                                     .program = nfs::kProgramPortmap,
                                     .version = 2,
                                     .procedure = 3,
                                     .arguments = arguments.flatten()});
  }
  /// xid and last word of the next datagram.
  std::pair<std::uint32_t, std::uint32_t> receive() {
    std::string bytes(9000, '\0');
    bytes.resize(client.receive(asio::buffer(bytes)));
    nfs::XdrReader first(as_bytes(bytes)), last(as_bytes(bytes).last(4));
    return {first.u32(), last.u32()};
  }

  asio::io_context io{1}, client_io;
  nfs::ExportTable exports;
  nfs::Portmap portmap{{{nfs::kProgramNfs, 3, nfs::PortMapping::kTcp, 2049}}};
  RpcDatagrams server;
  udp::socket client{client_io, udp::endpoint(asio::ip::address_v4::loopback(), 0)};
  std::thread thread;
};

TEST_F(RpcDatagramsTest, AnswersCallsAndDropsTheRest) {
  send("garbage");
  send("");
  send(get_port(1) + std::string(RpcDatagrams::kMaxDatagram, 'x'));
  send(get_port(2));
  EXPECT_EQ(receive(), std::pair(2u, 2049u));
  send(nfs::testing::call_bytes({.xid = 3, .program = nfs::kProgramNfs}));
  EXPECT_EQ(receive(), std::pair(3u, 1u));  // PROG_UNAVAIL
}

TEST_F(RpcDatagramsTest, StrangersGetNoAnswer) {
  ASSERT_TRUE(exports.remove("/a").has_value());
  send(get_port(1));
  client.non_blocking(true);
  for (int i = 0; i < 50; ++i) {
    std::string bytes(100, '\0');
    boost::system::error_code ec;
    EXPECT_EQ(client.receive(asio::buffer(bytes), 0, ec), 0u);
    EXPECT_EQ(ec, asio::error::would_block);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // time is the input: silence
  }
}

}  // namespace
}  // namespace outcrop::server::testing
