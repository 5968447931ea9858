#include "tools/admin/client.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <thread>

namespace outcrop::tools {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

class AdminClient : public ::testing::Test {
 protected:
  AdminClient() {
    access.address = "127.0.0.1:" + std::to_string(acceptor.local_endpoint().port());
    access.token = "T";
  }

  asio::io_context io;
  tcp::acceptor acceptor{io, {asio::ip::address_v4::loopback(), 0}};
  AdminAccess access;
};

TEST_F(AdminClient, AsksAndReads) {
  std::string asked;
  std::thread server([&] {
    tcp::socket peer = acceptor.accept();
    asio::read_until(peer, asio::dynamic_buffer(asked), "{}");
    asio::write(peer, asio::buffer(std::string("HTTP/1.1 201 Created\r\n\r\n{\"a\":1}")));
  });
  const auto reply = ask_admin(access, "POST", "/v1/x", "{}");
  server.join();
  ASSERT_TRUE(reply) << reply.error().detail();
  EXPECT_EQ(reply->status, 201);
  EXPECT_EQ(reply->body, "{\"a\":1}");
  EXPECT_TRUE(asked.starts_with("POST /v1/x HTTP/1.1\r\n")) << asked;
  EXPECT_NE(asked.find("\r\nAuthorization: Bearer T\r\n"), std::string::npos) << asked;
  EXPECT_NE(asked.find("\r\nContent-Length: 2\r\n"), std::string::npos) << asked;
}

// The kernel takes the connection and the request, and nobody ever answers.
TEST_F(AdminClient, DoesNotWaitForEver) {
  access.deadline = std::chrono::milliseconds(20);
  const auto reply = ask_admin(access, "GET", "/v1/drives");
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), Errc::unavailable);
  EXPECT_NE(reply.error().detail().find("no answer within"), std::string_view::npos)
      << reply.error().detail();
}

TEST_F(AdminClient, SaysThatNobodyIsThere) {
  acceptor.close();
  const auto reply = ask_admin(access, "GET", "/v1/drives");
  ASSERT_FALSE(reply);
  EXPECT_NE(reply.error().detail().find("is the server running"), std::string_view::npos)
      << reply.error().detail();
  access.address = "localhost";
  EXPECT_EQ(ask_admin(access, "GET", "/").error().code(), Errc::invalid_argument);
}

TEST_F(AdminClient, SaysThatItIsNoHttp) {
  std::thread server([&] {
    tcp::socket peer = acceptor.accept();
    std::string asked;
    asio::read_until(peer, asio::dynamic_buffer(asked), "\r\n\r\n");
    asio::write(peer, asio::buffer(std::string("SSH-2.0\r\n")));
  });
  const auto reply = ask_admin(access, "GET", "/v1/drives");
  server.join();
  ASSERT_FALSE(reply);
  EXPECT_NE(reply.error().detail().find("not HTTP"), std::string_view::npos);
}

}  // namespace
}  // namespace outcrop::tools
