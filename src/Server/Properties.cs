using System.Runtime.Versioning;

// File modes and umask are part of what the server promises, and only Unix has them.
[assembly: UnsupportedOSPlatform("windows")]
