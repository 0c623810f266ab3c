// The clock and the mailbox of a server with --test-clock, over plain HTTP on loopback.
#pragma once

#include <string>

class TestDoor {
 public:
  TestDoor(const std::string& web, std::string authorization);
  long Now() const { return std::stol(Ask("GET", "clock")); }
  void Advance(long seconds) const { Ask("POST", "clock?advance=" + std::to_string(seconds)); }
  std::string Messages(const std::string& to) const;

 private:
  std::string Ask(const std::string& method, const std::string& what) const;

  std::string host_, port_, authorization_;
};
