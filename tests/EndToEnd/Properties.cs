using System.Runtime.Versioning;

// The server promises file modes and ends at signals, which only Unix has.
[assembly: UnsupportedOSPlatform("windows")]
