# Development shell: `nix develop`, then deploy/quickstart.sh --no-install or tests/run.sh --no-install.
{
  description = "CloudCam: records cameras where they stand, plays the footage anywhere";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";
    rust-overlay = {
      url = "github:oxalica/rust-overlay";
      inputs.nixpkgs.follows = "nixpkgs";
    };
  };

  outputs =
    { nixpkgs, rust-overlay, ... }:
    let
      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      forEachSystem =
        make:
        nixpkgs.lib.genAttrs systems (
          system:
          make (
            import nixpkgs {
              inherit system;
              overlays = [ rust-overlay.overlays.default ];
            }
          )
        );
    in
    {
      devShells = forEachSystem (pkgs: {
        default = pkgs.mkShell {
          nativeBuildInputs = with pkgs; [
            (rust-bin.stable.latest.default.override {
              targets = [ "wasm32-unknown-unknown" ];
              extensions = [ "rust-src" ];
            })
            pkg-config
            cargo-deny
            shellcheck
            nixfmt-rfc-style
          ];

          buildInputs = with pkgs; [
            gst_all_1.gstreamer
            gst_all_1.gst-plugins-base
            gst_all_1.gst-plugins-good
            gst_all_1.gst-plugins-bad
            gst_all_1.gst-libav
            gst_all_1.gst-rtsp-server
            libpq
          ];

          # What quickstart and tests run beside the programs built here.
          packages = with pkgs; [
            nats-server
            postgresql
            ffmpeg
            python3
            nodejs
            chromium
            util-linux
            dejavu_fonts
          ];

          shellHook = ''
            export CHROMIUM="${pkgs.chromium}/bin/chromium"
          '';
        };
      });

      formatter = forEachSystem (pkgs: pkgs.nixfmt-rfc-style);
    };
}
