#include "test_door.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

TestDoor::TestDoor(const std::string& web, std::string authorization) : authorization_(std::move(authorization)) {
  const auto address = web.substr(web.find("://") + 3);
  const auto colon = address.rfind(':');
  host_ = address.substr(0, colon);
  port_ = address.substr(colon + 1);
}

std::string TestDoor::Messages(const std::string& to) const {
  std::string query;
  for (const char c : to) query += c == '+' ? "%2B" : std::string(1, c);
  return Ask("GET", "messages?to=" + query);
}

std::string TestDoor::Ask(const std::string& method, const std::string& what) const {
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  if (getaddrinfo(host_.c_str(), port_.c_str(), &hints, &found) != 0) throw std::runtime_error("no such host: " + host_);
  const int connection = socket(found->ai_family, SOCK_STREAM, 0);
  const bool connected = connect(connection, found->ai_addr, found->ai_addrlen) == 0;
  freeaddrinfo(found);
  if (!connected) throw std::runtime_error("cannot connect to " + host_ + ":" + port_);

  // HTTP/1.0: the answer ends with the connection, in one piece.
  const auto request = method + " /test/" + what + " HTTP/1.0\r\nHost: " + host_ + "\r\nAuthorization: " + authorization_ + "\r\nContent-Length: 0\r\n\r\n";
  std::string reply;
  if (write(connection, request.data(), request.size()) == static_cast<ssize_t>(request.size())) {
    char part[4096];
    for (ssize_t got; (got = read(connection, part, sizeof part)) > 0;) reply.append(part, got);
  }
  close(connection);
  const auto body = reply.find("\r\n\r\n");
  if (reply.find(" 200 ") > 12 || body == std::string::npos) throw std::runtime_error(what + ": " + reply.substr(0, reply.find('\r')));
  return reply.substr(body + 4);
}
