global using Xunit;

// Pseudo-terminals, file modes and zbar: these tests are for Unix.
[assembly: System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
