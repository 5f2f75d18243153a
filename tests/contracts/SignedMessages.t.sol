// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {IJournal} from "../../contracts/interfaces/IJournal.sol";
import {ISignedMessages} from "../../contracts/interfaces/ISignedMessages.sol";
import {Controllers} from "./Controllers.sol";
import {OrganisationsFace} from "./Faces.sol";
import {ReentrantWallet, Verifier, Wallet} from "./Signers.sol";

/// @title What holds for every message, shown by nominations of successors
contract SignedMessagesTest is Controllers {
    uint32 private constant ORG = 3;
    uint256 private immutable key = _key(ORG);
    address private immutable controller = _controller(ORG);

    // --- when it is good

    function test_message__until_its_deadline__is_good() public {
        ISignedMessages.Signed memory signed = _nomination(key, successor, OPERATION);
        uint256 before = vm.snapshotState();
        vm.warp(DEADLINE);
        _brings(signed, "");
        vm.assertEq(organisations.nominatedBy(ORG), successor, "nominated");
        vm.revertToState(before);
        vm.warp(DEADLINE + 1);
        _brings(signed, abi.encodeWithSelector(ISignedMessages.SignedExpired.selector, DEADLINE, DEADLINE + 1));
    }

    function test_message__good_for_too_long__is_refused() public {
        vm.assertEq(organisations.MAX_VALIDITY(), 180 days, "longest");
        uint256 latest = NOW + 180 days;
        uint256[3] memory deadlines = [latest + 1, type(uint256).max, latest];
        for (uint256 i = 0; i < 3; ++i) {
            bytes32 message = _rotation(ORG, successor, controller, OPERATION, deadlines[i]);
            bytes memory failure =
                abi.encodeWithSelector(ISignedMessages.SignedDeadlineTooFar.selector, deadlines[i], latest);
            _brings(
                _signed(key, address(organisations), DOMAIN_NAME, message, deadlines[i]),
                i == 2 ? bytes("") : failure
            );
        }
    }

    /// @dev It is good as soon as its deadline is near enough, and until then by nobody.
    function test_message__good_for_too_long__becomes_good_later() public {
        uint256 deadline = NOW + 181 days;
        bytes32 message = _rotation(ORG, successor, controller, OPERATION, deadline);
        ISignedMessages.Signed memory signed = _signed(key, address(organisations), DOMAIN_NAME, message, deadline);
        _brings(
            signed, abi.encodeWithSelector(ISignedMessages.SignedDeadlineTooFar.selector, deadline, NOW + 180 days)
        );
        vm.warp(NOW + 1 days);
        _brings(signed, "");
    }

    /// @dev It sleeps for years, unless its signer cancels it.
    function test_message__good_for_years__sleeps_until_it_is_cancelled() public {
        uint256 deadline = NOW + 5 * 365 days;
        bytes32 message = _rotation(ORG, successor, controller, OPERATION, deadline);
        ISignedMessages.Signed memory signed = _signed(key, address(organisations), DOMAIN_NAME, message, deadline);
        uint256 before = vm.snapshotState();
        vm.warp(deadline - 180 days - 1);
        _brings(
            signed, abi.encodeWithSelector(ISignedMessages.SignedDeadlineTooFar.selector, deadline, deadline - 1)
        );
        vm.warp(deadline - 180 days);
        _brings(signed, "");
        vm.assertEq(organisations.nominatedBy(ORG), successor, "signed four and a half years ago");
        vm.revertToState(before);
        vm.prank(controller);
        organisations.cancelMessage(OPERATION);
        uint256[3] memory times = [uint256(NOW), deadline - 180 days, deadline];
        for (uint256 i = 0; i < 3; ++i) {
            vm.warp(times[i]);
            bytes memory failure = i == 0
                ? abi.encodeWithSelector(ISignedMessages.SignedDeadlineTooFar.selector, deadline, NOW + 180 days)
                : abi.encodeWithSelector(ISignedMessages.SignedCancelled.selector, controller, OPERATION);
            _brings(signed, failure);
        }
    }

    function test_message__brought_twice__counts_once() public {
        ISignedMessages.Signed memory signed = _nomination(key, successor, OPERATION);
        _brings(signed, "");
        _brings(signed, _done(address(organisations), controller, OPERATION));
        _nominates(ORG, address(0), "");
        _brings(signed, _done(address(organisations), controller, OPERATION));
        vm.assertEq(organisations.nominatedBy(ORG), address(0), "withdrawn, and still");
    }

    /// @dev Others see the id before it is in a block, and use it up in every way they can: their own.
    function test_message__whose_id_others_used_first__is_good_all_the_same() public {
        ISignedMessages.Signed memory signed = _nomination(key, successor, OPERATION);
        vm.prank(_controller(2));
        organisations.nominate(2, address(0), OPERATION);
        _sends(registrar, abi.encodeCall(organisations.register, (_newcomers(1), OPERATION)), "");
        _sends(council, abi.encodeCall(organisations.beginRecovery, (ORG, stranger, EVIDENCE, OPERATION)), "");
        _sends(stranger, abi.encodeCall(organisations.cancelMessage, (OPERATION)), "");
        bytes memory cancellation = abi.encodeCall(
            organisations.cancelMessageBySignature,
            (OPERATION, _signed(_key(uint32(4)), _cancellation(_controller(4), OPERATION, DEADLINE)))
        );
        _sends(stranger, cancellation, "");
        _brings(signed, "");
        _brings(signed, _done(address(organisations), controller, OPERATION));
    }

    /// @dev An operation is one whichever way it comes.
    function test_message__of_what_was_sent_before__is_refused_as_done() public {
        ISignedMessages.Signed memory signed = _nomination(key, successor, OPERATION);
        bytes memory plain = abi.encodeCall(organisations.nominate, (ORG, successor, OPERATION));
        uint256 before = vm.snapshotState();
        _sends(controller, plain, "");
        _brings(signed, _done(address(organisations), controller, OPERATION));
        vm.revertToState(before);
        _brings(signed, "");
        _sends(controller, plain, _done(address(organisations), controller, OPERATION));
    }

    /// @dev Done is done, also after its deadline: who brought it learns so.
    function test_message__done_and_brought_after_its_deadline__is_refused_as_done() public {
        ISignedMessages.Signed memory signed = _nomination(key, successor, OPERATION);
        _brings(signed, "");
        ISignedMessages.Signed memory acceptance =
            _signed(_key("successor"), _acceptance(ORG, successor, OPERATION, DEADLINE));
        bytes memory data = abi.encodeCall(organisations.acceptControlBySignature, (ORG, OPERATION, acceptance));
        _sends(stranger, data, "");
        vm.warp(DEADLINE + 1);
        _brings(signed, _done(address(organisations), controller, OPERATION));
        _sends(stranger, data, _done(address(organisations), successor, OPERATION));
    }

    function test_messages__in_any_order__are_good() public {
        ISignedMessages.Signed memory first = _nomination(key, successor, "first");
        ISignedMessages.Signed memory second = _nomination(key, stranger, "second");
        _sends(stranger, abi.encodeCall(organisations.nominateBySignature, (ORG, stranger, "second", second)), "");
        _sends(stranger, abi.encodeCall(organisations.nominateBySignature, (ORG, successor, "first", first)), "");
        vm.assertEq(organisations.nominatedBy(ORG), successor, "nominated by the one brought last");
    }

    // --- what it binds

    function test_message__any_field_altered__is_refused() public {
        ISignedMessages.Signed memory signed = _nomination(key, successor, OPERATION);
        _sends(stranger, _bringing(2, successor, OPERATION, signed), _invalid(controller));
        _sends(stranger, _bringing(ORG, stranger, OPERATION, signed), _invalid(controller));
        _sends(stranger, _bringing(ORG, address(0), OPERATION, signed), _invalid(controller));
        _sends(stranger, _bringing(ORG, successor, "another operation", signed), _invalid(controller));
        signed.deadline += 1;
        _brings(signed, _invalid(controller));
        signed.deadline -= 1;
        signed.signer = abi.encodePacked(_controller(2)); // who did not sign
        _brings(signed, _invalid(_controller(2)));
        signed.signer = abi.encodePacked(controller);
        _brings(signed, "");
    }

    function test_message__of_another_kind__is_refused() public {
        _nominates(ORG, successor, "");
        _begins(ORG, successor, "");
        bytes32[4] memory messages = [
            _rotation(ORG, successor, controller, OPERATION, DEADLINE),
            _objection(ORG, successor, controller, OPERATION, DEADLINE),
            _acceptance(ORG, controller, OPERATION, DEADLINE),
            _cancellation(controller, OPERATION, DEADLINE)
        ];
        for (uint256 signedKind = 0; signedKind < 4; ++signedKind) {
            ISignedMessages.Signed memory signed = _signed(key, messages[signedKind]);
            bytes[4] memory calls = [
                _bringing(ORG, successor, OPERATION, signed),
                abi.encodeCall(organisations.stopRecoveryBySignature, (ORG, OPERATION, signed)),
                abi.encodeCall(organisations.acceptControlBySignature, (ORG, OPERATION, signed)),
                abi.encodeCall(organisations.cancelMessageBySignature, (OPERATION, signed))
            ];
            for (uint256 i = 0; i < 4; ++i) {
                if (i != signedKind) _sends(stranger, calls[i], _invalid(controller));
            }
        }
    }

    function test_message__for_another_chain__is_refused() public {
        ISignedMessages.Signed memory signed = _nomination(key, successor, OPERATION);
        uint256 here = block.chainid;
        vm.chainId(here + 1);
        _brings(signed, _invalid(controller)); // as on a fork of the chain
        ISignedMessages.Signed memory there = _nomination(key, successor, OPERATION);
        uint256 before = vm.snapshotState();
        _brings(there, "");
        vm.revertToState(before);
        vm.chainId(here);
        _brings(there, _invalid(controller));
        _brings(signed, "");
    }

    function test_message__for_another_contract__is_refused() public {
        bytes memory arguments = abi.encode(authority, memberships, RECOVERY_DELAY);
        OrganisationsFace other = OrganisationsFace(vm.deployCode("Organisations.sol", arguments));
        bytes32 message = _rotation(ORG, successor, controller, OPERATION, DEADLINE);
        _brings(_signed(key, address(other), DOMAIN_NAME, message, DEADLINE), _invalid(controller));
        string memory name = "Moonlake Memberships";
        _brings(_signed(key, address(memberships), name, message, DEADLINE), _invalid(controller));
        _brings(_signed(key, address(organisations), name, message, DEADLINE), _invalid(controller));
        // A cancellation is the same message in all contracts, but for the domain.
        ISignedMessages.Signed memory cancellation = _signed(key, _cancellation(controller, OPERATION, DEADLINE));
        bytes memory data = abi.encodeCall(memberships.cancelMessageBySignature, (OPERATION, cancellation));
        _send(address(memberships), stranger, data, _invalid(controller));
        _send(address(credits), stranger, data, _invalid(controller));
    }

    /// @dev A key that is one organisation's controller and owns the wallet that is another's: a message for
    /// the one account is nothing to the other.
    function test_message__for_another_account_of_the_same_key__is_refused() public {
        Wallet wallet = new Wallet(controller);
        _registers(address(wallet), ""); // organisation 7
        bytes memory asWallet = abi.encodePacked(wallet);
        bytes32 forKey = _orgDigest(_cancellation(controller, OPERATION, DEADLINE));
        bytes32 forWallet = _orgDigest(_cancellation(address(wallet), OPERATION, DEADLINE));
        bytes memory asKey = abi.encodePacked(controller);
        _cancels(_signedFor(asWallet, key, forKey, DEADLINE), _invalid(address(wallet)));
        _cancels(_signedFor(asKey, key, forWallet, DEADLINE), _invalid(controller));
        _cancels(_signedFor(asKey, key, forKey, DEADLINE), "");
        vm.assertFalse(organisations.isCancelled(address(wallet), OPERATION), "the wallet's");
        _cancels(_signedFor(asWallet, key, forWallet, DEADLINE), "");
        // And a rotation of the one organisation by the other's account.
        bytes32 rotation = _orgDigest(_rotation(7, successor, controller, "rotation", DEADLINE));
        ISignedMessages.Signed memory signed = _signedFor(asWallet, key, rotation, DEADLINE);
        _sends(stranger, _bringing(7, successor, "rotation", signed), _invalid(address(wallet)));
        signed.signer = asKey;
        _sends(stranger, _bringing(7, successor, "rotation", signed), _notController(controller, 7));
        rotation = _orgDigest(_rotation(7, successor, address(wallet), "rotation", DEADLINE));
        signed = _signedFor(asWallet, key, rotation, DEADLINE);
        _sends(stranger, _bringing(7, successor, "rotation", signed), "");
    }

    // --- signatures

    function test_signature__with_a_high_s__is_refused() public {
        ISignedMessages.Signed memory signed = _nomination(key, successor, OPERATION);
        bytes memory low = signed.signature;
        signed.signature = _malleated(low);
        _brings(signed, _invalid(controller));
        signed.signature = low;
        _brings(signed, "");
    }

    function test_signature__of_another_length_or_recovery__is_refused() public {
        ISignedMessages.Signed memory signed = _nomination(key, successor, OPERATION);
        bytes memory whole = signed.signature;
        uint256[6] memory lengths = [uint256(0), 1, 64, 66, 96, 130];
        for (uint256 i = 0; i < lengths.length; ++i) {
            signed.signature = new bytes(lengths[i]);
            for (uint256 j = 0; j < lengths[i] && j < 65; ++j) {
                signed.signature[j] = whole[j];
            }
            _brings(signed, _invalid(controller));
        }
        for (uint256 v = 0; v < 256; ++v) {
            if (bytes1(uint8(v)) == whole[64]) continue;
            signed.signature = bytes.concat(whole);
            signed.signature[64] = bytes1(uint8(v));
            _brings(signed, _invalid(controller));
        }
    }

    function test_signature__by_nobody__is_not_the_zero_address() public {
        ISignedMessages.Signed memory signed = ISignedMessages.Signed(new bytes(20), DEADLINE, new bytes(65));
        _brings(signed, _invalid(address(0)));
        signed.signature = "";
        _brings(signed, _invalid(address(0)));
    }

    function testFuzz_signature__any_bytes__are_refused(bytes calldata signer, bytes calldata signature) public {
        ISignedMessages.Signed memory signed = ISignedMessages.Signed(signer, DEADLINE, signature);
        bytes memory failure = signer.length < 20
            ? abi.encodeWithSelector(ISignedMessages.SignedSignerMalformed.selector, signer.length)
            : signer.length == 20 || address(bytes20(signer)).code.length != 0
                ? _invalid(organisations.accountOf(signer))
                : _verifierMissing(address(bytes20(signer)));
        _brings(signed, failure);
        signed.signer = abi.encodePacked(controller);
        _brings(signed, _invalid(controller));
    }

    function testFuzz_signature__any_key_and_message__is_its_accounts(uint256 any, address to, bytes32 operationId)
        public
    {
        uint256 someKey = _between(any, 1, ORDER - 1);
        address account = vm.addr(someKey);
        vm.assume(operationId != 0 && organisations.organisationOf(account) == 0 && to != account);
        vm.assume(organisations.organisationOf(to) == 0);
        _registers(account, "");
        ISignedMessages.Signed memory signed = _signed(someKey, _rotation(7, to, account, operationId, DEADLINE));
        _sends(stranger, _bringing(7, to, operationId, signed), "");
        vm.assertEq(organisations.nominatedBy(7), to, "nominated");
    }

    // --- signers

    function test_signer__of_fewer_than_20_bytes__is_malformed() public {
        ISignedMessages.Signed memory signed = _nomination(key, successor, OPERATION);
        for (uint256 length = 0; length < 20; ++length) {
            signed.signer = new bytes(length);
            _brings(signed, abi.encodeWithSelector(ISignedMessages.SignedSignerMalformed.selector, length));
        }
    }

    function test_signer__a_wallet__is_whoever_its_code_says() public {
        Wallet wallet = new Wallet(_account("owner"));
        _rotateTo(wallet);
        bytes32 digest = _orgDigest(_rotation(ORG, successor, address(wallet), OPERATION, DEADLINE));
        bytes memory signer = abi.encodePacked(wallet);
        _brings(_signedFor(signer, _key("stranger"), digest, DEADLINE), _invalid(address(wallet)));
        _brings(_signedFor(signer, key, digest, DEADLINE), _invalid(address(wallet)));
        _brings(_signedFor(signer, _key("owner"), digest, DEADLINE), "");
        vm.assertEq(organisations.nominatedBy(ORG), successor, "nominated");
    }

    function test_signer__an_account_with_code__is_whoever_its_code_says() public {
        Wallet wallet = new Wallet(_account("owner"));
        ISignedMessages.Signed memory signed = _nomination(key, successor, OPERATION);
        vm.etch(controller, address(wallet).code); // as a delegation does (EIP-7702)
        _brings(signed, _invalid(controller));
        signed.signature =
            _sign(_key("owner"), _orgDigest(_rotation(ORG, successor, controller, OPERATION, DEADLINE)));
        _brings(signed, "");
    }

    function test_signer__a_contract_that_is_no_wallet__is_refused() public {
        ISignedMessages.Signed memory signed = _nomination(key, successor, OPERATION);
        address[3] memory contracts = [address(programmes), address(this), address(vm)];
        for (uint256 i = 0; i < 3; ++i) {
            signed.signer = abi.encodePacked(contracts[i]);
            _brings(signed, _invalid(contracts[i]));
        }
    }

    function test_signer__a_wallet_that_gives_commands_when_asked__changes_nothing() public {
        ReentrantWallet wallet = new ReentrantWallet(address(organisations));
        _registers(address(wallet), "");
        wallet.prepare(abi.encodeCall(organisations.nominate, (7, stranger, "from inside")));
        ISignedMessages.Signed memory signed = ISignedMessages.Signed(abi.encodePacked(wallet), DEADLINE, "any");
        bytes32 head = organisations.head();
        _sends(stranger, _bringing(7, successor, OPERATION, signed), _invalid(address(wallet)));
        vm.assertEq(organisations.head(), head, "history");
        vm.assertEq(organisations.nominatedBy(7), address(0), "nominated");
        // Nor is it called when it becomes a controller, or is one no longer.
        wallet.prepare(abi.encodeCall(organisations.acceptControl, (7, "from inside")));
        _nominatesAs(address(wallet), 7, successor, "");
        _accepts(successor, 7, "");
        _assertControl(7, successor);
    }

    function test_signer__a_verifier_and_a_key__acts_as_their_account() public {
        Verifier verifier = new Verifier();
        bytes memory signer = abi.encodePacked(verifier, _account("passkey"), "salt");
        address account = _asAccount(signer);
        vm.assertEq(organisations.accountOf(signer), account, "account");
        bytes32 acceptance = _orgDigest(_acceptance(ORG, account, "acceptance", DEADLINE));
        _nominates(ORG, account, "");
        ISignedMessages.Signed memory signed = _signedFor(signer, _key("passkey"), acceptance, DEADLINE);
        _sends(stranger, abi.encodeCall(organisations.acceptControlBySignature, (ORG, "acceptance", signed)), "");
        _assertControl(ORG, account);

        bytes32 digest = _orgDigest(_rotation(ORG, successor, account, OPERATION, DEADLINE));
        _brings(_signedFor(signer, _key("stranger"), digest, DEADLINE), _invalid(account));
        // The same key with another salt, and another verifier, are other accounts.
        bytes[2] memory others = [
            abi.encodePacked(verifier, _account("passkey"), "pepper"),
            abi.encodePacked(new Verifier(), _account("passkey"), "salt")
        ];
        for (uint256 i = 0; i < 2; ++i) {
            address other = _asAccount(others[i]);
            _brings(_signedFor(others[i], _key("passkey"), digest, DEADLINE), _invalid(other)); // not for it
            bytes32 message = _orgDigest(_rotation(ORG, successor, other, OPERATION, DEADLINE));
            _brings(_signedFor(others[i], _key("passkey"), message, DEADLINE), _notController(other, ORG));
        }
        _brings(_signedFor(signer, _key("passkey"), digest, DEADLINE), "");
    }

    /// @dev An account without code answers nothing; that it is a key's, and the key signed, is nothing to it.
    function test_signer__a_verifier_without_code__is_refused() public {
        bytes memory signer = abi.encodePacked(stranger, _account("passkey"));
        bytes32 digest = _orgDigest(_rotation(ORG, successor, _asAccount(signer), OPERATION, DEADLINE));
        string[2] memory names = ["passkey", "stranger"];
        for (uint256 i = 0; i < 2; ++i) {
            _brings(_signedFor(signer, _key(names[i]), digest, DEADLINE), _verifierMissing(stranger));
        }
    }

    /// @dev The precompiled contract at 4 answers with what it was asked, which begins with the right answer.
    function test_signer__a_precompiled_contract_as_verifier__is_refused() public {
        (, bytes memory echo) =
            address(4).staticcall(abi.encodeCall(Verifier.verify, (bytes("key"), bytes32(0), bytes("any"))));
        vm.assertEq(bytes32(bytes4(echo)), bytes32(Verifier.verify.selector), "a right answer to anything");
        for (uint160 i = 1; i <= 18; ++i) {
            bytes memory signer = abi.encodePacked(address(i), "key");
            address account = _asAccount(signer);
            uint256 before = vm.snapshotState();
            _registers(account, ""); // an officer's mistake: now anybody could act for it
            ISignedMessages.Signed memory signed = ISignedMessages.Signed(signer, DEADLINE, "any");
            _sends(stranger, _bringing(7, successor, OPERATION, signed), _verifierMissing(address(i)));
            vm.revertToState(before);
        }
    }

    /// @dev A public key of 64 bytes is a signer whose verifier nobody has; it is not the account of its key.
    function test_accountOf__a_public_key__is_not_its_keys_address() public view {
        // The generator of secp256k1, the public key of 1.
        bytes memory publicKey = hex"79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
            hex"483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8";
        vm.assertEq(address(uint160(uint256(keccak256(publicKey)))), vm.addr(1), "its key's address");
        vm.assertEq(organisations.accountOf(publicKey), _asAccount(publicKey), "account");
        vm.assertTrue(organisations.accountOf(publicKey) != vm.addr(1), "another");
    }

    function testFuzz_accountOf__any_bytes__is_the_signer_or_its_hash(bytes calldata signer) public {
        if (signer.length < 20) {
            vm.expectRevert(abi.encodeWithSelector(ISignedMessages.SignedSignerMalformed.selector, signer.length));
            organisations.accountOf(signer);
            return;
        }
        vm.assertEq(
            organisations.accountOf(signer[:20]), address(uint160(uint256(bytes32(signer)) >> 96)), "20 bytes"
        );
        if (signer.length == 20) return;
        vm.assertEq(organisations.accountOf(signer), _asAccount(signer), "more");
    }

    // --- cancellations

    function test_cancelMessage__by_its_signer__is_journaled_and_ends_it() public {
        ISignedMessages.Signed memory signed = _nomination(key, successor, OPERATION);
        _watch(address(organisations));
        vm.prank(controller);
        organisations.cancelMessage(OPERATION);
        bytes32 selector = ISignedMessages.MessageCancelled.selector;
        bytes memory line = abi.encode(selector, _number(1), controller, OPERATION);
        vm.assertEq(_assertLine(line).length, 0, "echoes");
        vm.assertTrue(organisations.isCancelled(controller, OPERATION), "cancelled");
        vm.assertEq(organisations.operationSequence(controller, OPERATION), 0, "not an operation");
        _brings(signed, _cancelled(controller));
        // What is signed only afterwards is cancelled too; another id is not.
        signed = _nomination(key, stranger, OPERATION);
        _sends(stranger, _bringing(ORG, stranger, OPERATION, signed), _cancelled(controller));
        signed = _nomination(key, successor, "another operation");
        _sends(stranger, _bringing(ORG, successor, "another operation", signed), "");
    }

    function test_cancelMessage__by_any_other__ends_only_its_own() public {
        ISignedMessages.Signed memory signed = _nomination(key, successor, OPERATION);
        _sends(stranger, abi.encodeCall(organisations.cancelMessage, (OPERATION)), "");
        vm.assertTrue(organisations.isCancelled(stranger, OPERATION), "the stranger's");
        vm.assertFalse(organisations.isCancelled(controller, OPERATION), "the controller's");
        _brings(signed, "");
    }

    function test_cancelMessage__twice_too_late_or_none__is_refused() public {
        bytes memory data = abi.encodeCall(organisations.cancelMessage, (OPERATION));
        _sends(controller, data, "");
        _sends(controller, data, _cancelled(controller));
        data = abi.encodeCall(organisations.cancelMessage, (0));
        _sends(controller, data, abi.encodePacked(IJournal.JournalOperationIdMissing.selector));
        ISignedMessages.Signed memory signed = _nomination(key, successor, "another operation");
        _sends(stranger, _bringing(ORG, successor, "another operation", signed), "");
        data = abi.encodeCall(organisations.cancelMessage, ("another operation"));
        _sends(controller, data, _done(address(organisations), controller, "another operation"));
        vm.assertFalse(organisations.isCancelled(controller, "another operation"), "too late");
    }

    function test_cancelMessage__while_paused__is_done() public {
        ISignedMessages.Signed memory signed = _nomination(key, successor, OPERATION);
        ISignedMessages.Signed memory cancellation =
            _signed(_key(uint32(2)), _cancellation(_controller(2), "2", DEADLINE));
        _pause();
        _sends(controller, abi.encodeCall(organisations.cancelMessage, (OPERATION)), "");
        _sends(stranger, abi.encodeCall(organisations.cancelMessageBySignature, ("2", cancellation)), "");
        vm.assertTrue(organisations.isCancelled(_controller(2), "2"), "by signature");
        _resume();
        _brings(signed, _cancelled(controller));
    }

    function test_cancelMessageBySignature__of_its_signer__is_its_own() public {
        ISignedMessages.Signed memory signed = _nomination(key, successor, OPERATION);
        ISignedMessages.Signed memory cancellation = _signed(key, _cancellation(controller, OPERATION, DEADLINE));
        bytes memory data = abi.encodeCall(organisations.cancelMessageBySignature, (OPERATION, cancellation));
        bytes memory other = abi.encodeCall(organisations.cancelMessageBySignature, ("2", cancellation));
        _sends(stranger, other, _invalid(controller)); // of another message
        _watch(address(organisations));
        _sends(stranger, data, "");
        _assertLine(abi.encode(ISignedMessages.MessageCancelled.selector, _number(1), controller, OPERATION));
        _brings(signed, _cancelled(controller));
        _sends(stranger, data, _cancelled(controller));
    }

    function test_cancelMessageBySignature__too_late__is_refused() public {
        ISignedMessages.Signed memory cancellation = _signed(key, _cancellation(controller, OPERATION, DEADLINE));
        bytes memory data = abi.encodeCall(organisations.cancelMessageBySignature, (OPERATION, cancellation));
        uint256 before = vm.snapshotState();
        _brings(_nomination(key, successor, OPERATION), "");
        _sends(stranger, data, _done(address(organisations), controller, OPERATION));
        vm.revertToState(before);
        vm.warp(DEADLINE + 1);
        _sends(
            stranger, data, abi.encodeWithSelector(ISignedMessages.SignedExpired.selector, DEADLINE, DEADLINE + 1)
        );
    }

    // --- domains

    function test_eip712Domain__of_each_contract__is_its_own() public view {
        _assertDomain(address(organisations), "Moonlake Organisations");
        _assertDomain(address(memberships), "Moonlake Memberships");
        _assertDomain(address(credits), "Moonlake Credits");
        _assertDomain(address(benefits), "Moonlake Benefits");
        _assertDomain(address(shares), "Moonlake Shares");
        _assertDomain(address(councils), "Moonlake Council");
    }

    function _assertDomain(address target, string memory expected) private view {
        (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chain,
            address verifyingContract,
            bytes32 salt,
            uint256[] memory extensions
        ) = IERC5267(target).eip712Domain();
        vm.assertEq(bytes32(fields), bytes32(hex"0f"), "fields: name, version, chain, contract");
        vm.assertEq(name, expected, "name");
        vm.assertEq(version, "1", "version");
        vm.assertEq(chain, block.chainid, "chain");
        vm.assertEq(verifyingContract, target, "contract");
        vm.assertEq(salt, bytes32(0), "salt");
        vm.assertEq(extensions.length, 0, "extensions");
    }

    // --- what is signed here

    function _nomination(uint256 byKey, address to, bytes32 operationId)
        private
        view
        returns (ISignedMessages.Signed memory)
    {
        return _signed(byKey, _rotation(ORG, to, vm.addr(byKey), operationId, DEADLINE));
    }

    function _bringing(uint32 orgId, address to, bytes32 operationId, ISignedMessages.Signed memory signed)
        private
        view
        returns (bytes memory)
    {
        return abi.encodeCall(organisations.nominateBySignature, (orgId, to, operationId, signed));
    }

    /// @dev A stranger brings the message that nominates `successor` by `OPERATION`.
    function _brings(ISignedMessages.Signed memory signed, bytes memory failure) private {
        _sends(stranger, _bringing(ORG, successor, OPERATION, signed), failure);
    }

    function _rotateTo(Wallet wallet) private {
        _nominates(ORG, address(wallet), "");
        (bool done,) =
            wallet.send(address(organisations), abi.encodeCall(organisations.acceptControl, (ORG, _operation())));
        vm.assertTrue(done, "acceptance");
    }

    function _cancels(ISignedMessages.Signed memory signed, bytes memory failure) private {
        _sends(stranger, abi.encodeCall(organisations.cancelMessageBySignature, (OPERATION, signed)), failure);
    }

    /// @dev As it is specified in ISignedMessages.sol, of a signer longer than 20 bytes.
    function _asAccount(bytes memory signer) private pure returns (address) {
        return address(uint160(uint256(keccak256(abi.encodePacked("moonlake.signer", signer)))));
    }

    function _verifierMissing(address verifier) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ISignedMessages.SignedVerifierMissing.selector, verifier);
    }

    function _cancelled(address account) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ISignedMessages.SignedCancelled.selector, account, OPERATION);
    }
}
