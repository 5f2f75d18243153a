// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAuthority} from "../../contracts/interfaces/IAuthority.sol";
import {ICredits} from "../../contracts/interfaces/ICredits.sol";
import {IJournal} from "../../contracts/interfaces/IJournal.sol";
import {IMemberships} from "../../contracts/interfaces/IMemberships.sol";
import {ISignedMessages} from "../../contracts/interfaces/ISignedMessages.sol";
import {AwardMessages} from "./AwardMessages.sol";
import {Entries} from "./Entries.sol";
import {Verifier, Wallet} from "./Signers.sol";
import {CallingWallet} from "./Wallets.sol";

/// @title Awards by an issuer's signed message, and what could be tried with one
contract CreditsSignedTest is Entries, AwardMessages {
    bytes32 private constant OPERATION = keccak256("this operation");
    uint256 private constant DEADLINE = NOW + 1 days;

    address private immutable carrier = _account("carrier");

    // --- what it does

    function test_signed__by_an_issuer__is_entered_as_its_own_award() public {
        ICredits.Award[] memory awards = new ICredits.Award[](3);
        awards[0] = ICredits.Award(3, 10, DATA, "a");
        awards[1] = ICredits.Award(1, 20, BUILD, "b");
        awards[2] = ICredits.Award(3, 30, BUILD, 0);
        _watch(address(credits));
        bytes[] memory lines = new bytes[](3);
        lines[0] = _words(1, awards[0], 10);
        lines[1] = _words(2, awards[1], 20);
        lines[2] = _words(3, awards[2], 40);
        _bring(FIRST, awards, OPERATION, _by("issuer", FIRST, awards, OPERATION), "");
        _assertLines(lines);
        vm.assertEq(credits.spent(FIRST, 1, issuer), 60, "spent by the issuer");
        vm.assertEq(credits.spent(FIRST, 1, carrier), 0, "spent by who brought it");
        vm.assertEq(credits.outstanding(FIRST), 60, "outstanding");
        vm.assertEq(credits.operationSequence(issuer, OPERATION), 1, "operation");
        vm.assertEq(credits.headAt(3), credits.head(), "head kept");
    }

    function test_signed__by_the_council__needs_no_budget() public {
        ICredits.Award[] memory awards = _awards(1, CAP);
        _bring(FIRST, awards, OPERATION, _by("council", FIRST, awards, OPERATION), "");
        vm.assertEq(credits.spent(FIRST, 1, council), 0, "spent");
        vm.assertEq(credits.balanceOf(FIRST, 1), int64(CAP), "balance");
    }

    function test_signed__by_a_wallet__is_the_wallets_award() public {
        Wallet wallet = new Wallet(vm.addr(_key("signer of the wallet")));
        _makeIssuer(address(wallet));
        _bringFor(abi.encodePacked(wallet), "signer of the wallet", "");
        vm.assertEq(credits.spent(FIRST, 1, address(wallet)), 5, "spent by the wallet");
        _bringFor(abi.encodePacked(wallet), "another", _invalid(address(wallet)));
    }

    function test_signed__by_a_verifiers_key__is_its_accounts_award() public {
        Verifier verifier = new Verifier();
        bytes memory signer = abi.encodePacked(verifier, vm.addr(_key("passkey")), "salt");
        address account = credits.accountOf(signer);
        _bringFor(signer, "passkey", _roleMissing(account)); // no issuer yet
        _makeIssuer(account);
        _bringFor(signer, "passkey", "");
        vm.assertEq(credits.spent(FIRST, 1, account), 5, "spent by its account");
        _bringFor(signer, "another", _invalid(account));
        // The same key under another salt is another account.
        bytes memory other = abi.encodePacked(verifier, vm.addr(_key("passkey")), "pepper");
        _bringFor(other, "passkey", _roleMissing(credits.accountOf(other)));
    }

    /// @dev What a wallet shows and signs is pinned here, category and all.
    function test_signed__digest__is_the_one_of_the_text() public view {
        bytes32 award = keccak256(
            abi.encode(
                keccak256("Award(uint32 orgId,uint64 amount,string category,bytes32 evidence)"),
                1,
                5,
                keccak256("data.acquire"),
                EVIDENCE
            )
        );
        bytes32 batch = keccak256(
            abi.encode(
                keccak256(
                    "AwardBatch(uint16 programmeId,Award[] awards,address account,bytes32 operationId,uint256 deadline)Award(uint32 orgId,uint64 amount,string category,bytes32 evidence)"
                ),
                1,
                keccak256(abi.encode(award)),
                issuer,
                OPERATION,
                DEADLINE
            )
        );
        vm.assertEq(_batch(FIRST, _awards(1, 5), issuer, OPERATION, DEADLINE), batch, "hash of the message");
        (, string memory name, string memory version, uint256 chain, address target,,) = credits.eip712Domain();
        vm.assertEq(name, "Moonlake Credits", "name");
        vm.assertEq(version, "1", "version");
        vm.assertEq(chain, block.chainid, "chain");
        vm.assertEq(target, address(credits), "contract");
    }

    function testFuzz_signed__any_batch__is_found_signed(uint256 seed, uint8 length) public {
        length = uint8(_between(length, 1, 12));
        ICredits.Award[] memory awards = new ICredits.Award[](length);
        for (uint256 i = 0; i < length; ++i) {
            uint256 random = uint256(keccak256(abi.encode(seed, i)));
            awards[i] = ICredits.Award(
                uint32(random % 4 + 1),
                uint64(_between(random >> 8, 1, 800)),
                random >> 128 & 1 == 0 ? DATA : BUILD,
                keccak256(abi.encode(random))
            );
        }
        ISignedMessages.Signed memory signed = _by("issuer", FIRST, awards, OPERATION);
        uint256 place = seed % length;
        awards[place].evidence ^= bytes32(uint256(1) << seed % 256);
        _bring(FIRST, awards, OPERATION, signed, _invalid(issuer));
        awards[place].evidence ^= bytes32(uint256(1) << seed % 256);
        _bring(FIRST, awards, OPERATION, signed, "");
        vm.assertEq(credits.sequence(), length, "entries");
    }

    // --- replayed, front-run

    function test_signed__brought_again__is_refused_as_done() public {
        ICredits.Award[] memory awards = _awards(1, 5);
        ISignedMessages.Signed memory signed = _by("issuer", FIRST, awards, OPERATION);
        _bring(FIRST, awards, OPERATION, signed, "");
        _bring(FIRST, awards, OPERATION, signed, _done(1));
        vm.warp(DEADLINE + 1); // as done, even when it would be too late
        _bring(FIRST, awards, OPERATION, signed, _done(1));
        vm.warp(NOW);
        _bring(FIRST, awards, "another operation", signed, _invalid(issuer));
        vm.assertEq(credits.balanceOf(FIRST, 1), 5, "balance");
    }

    function test_signed__front_run_by_a_copy__has_the_same_effect() public {
        ICredits.Award[] memory awards = _awards(1, 5);
        ISignedMessages.Signed memory signed = _by("issuer", FIRST, awards, OPERATION);
        vm.prank(stranger);
        credits.awardBySignature(FIRST, awards, OPERATION, signed);
        vm.assertEq(credits.spent(FIRST, 1, issuer), 5, "spent by the issuer");
        _bring(FIRST, awards, OPERATION, signed, _done(1));
    }

    function test_signed__front_run_by_cancelling_its_operation__changes_nothing() public {
        ICredits.Award[] memory awards = _awards(1, 5);
        vm.prank(stranger);
        credits.cancelMessage(OPERATION); // the stranger's own, which there is not
        _bring(FIRST, awards, OPERATION, _by("issuer", FIRST, awards, OPERATION), "");
    }

    /// @dev Other officers see the batch's id and use it for awards of their own first.
    function test_signed__front_run_by_its_operation_id__is_done_all_the_same() public {
        ICredits.Award[] memory awards = _awards(1, 5);
        ISignedMessages.Signed memory signed = _by("issuer", FIRST, awards, OPERATION);
        _makeIssuer(carrier);
        vm.prank(carrier);
        credits.award(FIRST, _awards(2, 1), OPERATION);
        vm.prank(council);
        credits.award(FIRST, _awards(2, 1), OPERATION);
        _bring(FIRST, awards, OPERATION, signed, "");
        vm.assertEq(credits.operationSequence(carrier, OPERATION), 1, "the other issuer's");
        vm.assertEq(credits.operationSequence(council, OPERATION), 2, "the council's");
        vm.assertEq(credits.operationSequence(issuer, OPERATION), 3, "the issuer's");
        _bring(FIRST, awards, OPERATION, signed, _done(3));
    }

    /// @dev An operation is its actor's: two officers who do the same do it twice.
    function test_signed__by_two_officers_under_one_id__is_done_by_each_once() public {
        ICredits.Award[] memory awards = _awards(1, 5);
        _bring(FIRST, awards, OPERATION, _by("issuer", FIRST, awards, OPERATION), "");
        _bring(FIRST, awards, OPERATION, _by("council", FIRST, awards, OPERATION), "");
        vm.assertEq(credits.balanceOf(FIRST, 1), 10, "balance");
        _bring(FIRST, awards, OPERATION, _by("issuer", FIRST, awards, OPERATION), _done(1));
        _bring(FIRST, awards, OPERATION, _by("council", FIRST, awards, OPERATION), _done(2));
    }

    function test_signed__and_then_sent_plainly__is_refused_as_done() public {
        ICredits.Award[] memory awards = _awards(1, 5);
        _bring(FIRST, awards, OPERATION, _by("issuer", FIRST, awards, OPERATION), "");
        _send(address(credits), issuer, abi.encodeCall(credits.award, (FIRST, awards, OPERATION)), _done(1));
    }

    function test_signed__done_without_signature_before__is_refused_as_done() public {
        ICredits.Award[] memory awards = _awards(1, 5);
        ISignedMessages.Signed memory signed = _by("issuer", FIRST, awards, OPERATION);
        vm.prank(issuer);
        credits.award(FIRST, awards, OPERATION);
        _bring(FIRST, awards, OPERATION, signed, _done(1));
    }

    function test_signed__for_another_chain__is_refused() public {
        ICredits.Award[] memory awards = _awards(1, 5);
        ISignedMessages.Signed memory signed = _by("issuer", FIRST, awards, OPERATION);
        uint256 here = block.chainid;
        vm.chainId(here + 1); // a fork of the chain, with the same contracts
        _bring(FIRST, awards, OPERATION, signed, _invalid(issuer));
        vm.chainId(here);
        _bring(FIRST, awards, OPERATION, signed, "");
    }

    function test_signed__for_another_contract_or_domain__is_refused() public {
        ICredits.Award[] memory awards = _awards(1, 5);
        address[2] memory others = [address(benefits), stranger];
        for (uint256 i = 0; i < 2; ++i) {
            ISignedMessages.Signed memory signed =
                _signedBatch(_key("issuer"), others[i], FIRST, awards, OPERATION, DEADLINE);
            _bring(FIRST, awards, OPERATION, signed, _invalid(issuer));
        }
        bytes32 message = _batch(FIRST, awards, issuer, OPERATION, DEADLINE);
        string[3] memory names = ["Moonlake Benefits", "Moonlake Credit", ""];
        for (uint256 i = 0; i < 3; ++i) {
            _bring(
                FIRST,
                awards,
                OPERATION,
                _signed(_key("issuer"), address(credits), names[i], message, DEADLINE),
                _invalid(issuer)
            );
        }
    }

    function test_signed__for_another_programme__is_refused() public {
        ICredits.Award[] memory awards = _awards(1, 5);
        _appoint(ISSUER_ROLE, SECOND, issuer);
        vm.prank(council);
        programmes.setBudget(SECOND, issuer, 100, 100, "budget");
        ISignedMessages.Signed memory signed = _by("issuer", FIRST, awards, OPERATION);
        _bring(SECOND, awards, OPERATION, signed, _invalid(issuer));
        _bring(FIRST, awards, OPERATION, signed, "");
    }

    // --- altered

    function test_signed__any_field_altered__is_refused() public {
        ICredits.Award[] memory awards = _two();
        ISignedMessages.Signed memory signed = _by("issuer", FIRST, awards, OPERATION);
        for (uint256 field = 0; field < 5; ++field) {
            ICredits.Award[] memory other = _two();
            if (field == 0) other[1].orgId = 3;
            if (field == 1) other[1].amount = 8;
            if (field == 2) other[1].category = DATA;
            if (field == 3) other[1].evidence = 0;
            if (field == 4) (other[0], other[1]) = (other[1], other[0]);
            _bring(FIRST, other, OPERATION, signed, _invalid(issuer));
        }
        _bring(FIRST, _awards(1, 5), OPERATION, signed, _invalid(issuer)); // one dropped
        signed.deadline += 1;
        _bring(FIRST, awards, OPERATION, signed, _invalid(issuer));
        signed.deadline -= 1;
        _bring(FIRST, awards, OPERATION, signed, "");
    }

    /// @dev Texts of categories that begin alike, or are cut, are not taken for one another.
    function test_signed__for_a_category_that_begins_alike__is_refused() public {
        bytes32[] memory categories = new bytes32[](2);
        (categories[0], categories[1]) = ("data", "abcdefghijklmnopqrstuvwxyz01234");
        vm.prank(council);
        programmes.openCategories(FIRST, categories, "opening");
        ICredits.Award[] memory awards = _awards(1, 5);
        awards[0].category = "data";
        ISignedMessages.Signed memory signed = _by("issuer", FIRST, awards, OPERATION);
        awards[0].category = DATA;
        _bring(FIRST, awards, OPERATION, signed, _invalid(issuer));
        awards[0].category = "abcdefghijklmnopqrstuvwxyz01234"; // as long as can be
        _bring(FIRST, awards, OPERATION, _by("issuer", FIRST, awards, OPERATION), "");
    }

    function test_signed__high_s_or_other_bytes__are_refused() public {
        ICredits.Award[] memory awards = _awards(1, 5);
        ISignedMessages.Signed memory signed = _by("issuer", FIRST, awards, OPERATION);
        bytes memory right = signed.signature;
        bytes[5] memory wrong;
        wrong[0] = _malleated(right);
        wrong[1] = bytes.concat(right, hex"00");
        wrong[2] = new bytes(65);
        wrong[3] = "";
        wrong[4] = bytes.concat(right);
        wrong[4][64] ^= 0x07; // neither 27 nor 28
        for (uint256 i = 0; i < 5; ++i) {
            signed.signature = wrong[i];
            _bring(FIRST, awards, OPERATION, signed, _invalid(issuer));
        }
    }

    function test_signed__by_another_in_the_issuers_name__is_refused() public {
        ICredits.Award[] memory awards = _awards(1, 5);
        ISignedMessages.Signed memory signed = _by("stranger", FIRST, awards, OPERATION);
        _bring(FIRST, awards, OPERATION, signed, _roleMissing(stranger));
        signed.signer = abi.encodePacked(issuer);
        _bring(FIRST, awards, OPERATION, signed, _invalid(issuer));
        signed.signer = hex"1234";
        _bring(
            FIRST,
            awards,
            OPERATION,
            signed,
            abi.encodeWithSelector(ISignedMessages.SignedSignerMalformed.selector, 2)
        );
    }

    /// @dev A wallet is asked by a static call: what it tries meanwhile comes to nothing.
    function test_signed__by_a_wallet_that_calls_back__does_nothing_twice() public {
        CallingWallet wallet = new CallingWallet();
        _makeIssuer(address(wallet));
        ICredits.Award[] memory awards = _awards(1, 5);
        wallet.prepare(address(credits), abi.encodeCall(credits.award, (FIRST, awards, "meanwhile")));
        _bring(
            FIRST, awards, OPERATION, ISignedMessages.Signed(abi.encodePacked(wallet), DEADLINE, "anything"), ""
        );
        vm.assertEq(credits.sequence(), 1, "one entry");
        vm.assertEq(credits.spent(FIRST, 1, address(wallet)), 5, "spent once");
    }

    // --- too late, cancelled

    function test_signed__around_the_deadline__ends_at_the_second() public {
        ICredits.Award[] memory awards = _awards(1, 5);
        ISignedMessages.Signed memory first = _by("issuer", FIRST, awards, OPERATION);
        ISignedMessages.Signed memory second = _by("issuer", FIRST, awards, "another operation");
        vm.warp(DEADLINE);
        _bring(FIRST, awards, OPERATION, first, "");
        vm.warp(DEADLINE + 1);
        _bring(
            FIRST,
            awards,
            "another operation",
            second,
            abi.encodeWithSelector(ISignedMessages.SignedExpired.selector, DEADLINE, DEADLINE + 1)
        );
    }

    function test_signed__cancelled_by_its_signer__is_refused() public {
        ICredits.Award[] memory awards = _awards(1, 5);
        ISignedMessages.Signed memory signed = _by("issuer", FIRST, awards, OPERATION);
        _pause();
        vm.prank(issuer);
        credits.cancelMessage(OPERATION); // also while the ledger is paused
        _bring(FIRST, awards, OPERATION, signed, abi.encodePacked(IAuthority.AuthorityPaused.selector));
        _resume();
        _bring(
            FIRST,
            awards,
            OPERATION,
            signed,
            abi.encodeWithSelector(ISignedMessages.SignedCancelled.selector, issuer, OPERATION)
        );
    }

    /// @dev A cancelled message is a line of the journal between entries: proofs lead past it.
    function test_signed__cancelled_between_entries__leaves_entries_provable() public {
        _awardSeveral(1, 3);
        for (uint256 i = 0; i < 130; ++i) {
            bytes32 operationId = _operation();
            vm.recordLogs();
            vm.prank(stranger);
            credits.cancelMessage(operationId);
            _collect(vm.getRecordedLogs());
        }
        _awardSeveral(1, 3); // 134 to 136
        _reverseOne(council, 2);
        _reverseOne(council, 135);
        vm.assertEq(credits.headAt(128), 0, "the head of a line that is no entry");
        _reverse(_reversal(1, 136)); // over the cancelled ones, too
        vm.assertEq(credits.balanceOf(FIRST, 1), 12 - 1 - 2 - 2, "balance");
    }

    function _reverse(ICredits.Reversal memory reversal) private {
        ICredits.Reversal[] memory reversals = new ICredits.Reversal[](1);
        reversals[0] = reversal;
        _send(address(credits), council, abi.encodeCall(credits.reverse, (FIRST, reversals, _operation())), "");
    }

    // --- what changed between signing and bringing

    function test_signed__issuer_dismissed_since__is_refused() public {
        ICredits.Award[] memory awards = _awards(1, 5);
        ISignedMessages.Signed memory signed = _by("issuer", FIRST, awards, OPERATION);
        vm.prank(admin);
        authority.dismiss(ISSUER_ROLE, FIRST, issuer, "dismissal");
        _bring(FIRST, awards, OPERATION, signed, _roleMissing(issuer));
        _appoint(ISSUER_ROLE, SECOND, issuer); // of another programme now
        _bring(FIRST, awards, OPERATION, signed, _roleMissing(issuer));
    }

    function test_signed__budget_used_up_since__is_refused() public {
        ICredits.Award[] memory awards = _awards(1, 600);
        ISignedMessages.Signed memory signed =
            _signedBatch(_key("issuer"), address(credits), FIRST, awards, OPERATION, EPOCH_END + 1 days);
        for (uint256 i = 0; i < 10; ++i) {
            _award(issuer, FIRST, _awards(2, 950));
        }
        _bring(
            FIRST,
            awards,
            OPERATION,
            signed,
            abi.encodeWithSelector(ICredits.CreditsAwardOverBudget.selector, issuer, 600, 500)
        );
        vm.assertEq(credits.operationSequence(issuer, OPERATION), 0, "not done");
        vm.warp(EPOCH_END); // it counts when it is brought, not when it was signed
        _bring(FIRST, awards, OPERATION, signed, "");
        vm.assertEq(credits.spent(FIRST, 2, issuer), 600, "spent in the second epoch");
    }

    function test_signed__member_suspended_since__is_refused() public {
        ICredits.Award[] memory awards = _awards(1, 5);
        ISignedMessages.Signed memory signed = _by("issuer", FIRST, awards, OPERATION);
        vm.prank(registrar);
        memberships.suspend(FIRST, _one(uint32(1)), REASON, EVIDENCE, "suspension");
        bytes memory failure = abi.encodeWithSelector(
            IMemberships.MembershipsStatus.selector,
            FIRST,
            1,
            IMemberships.Status.Suspended,
            IMemberships.Status.Active
        );
        _bring(FIRST, awards, OPERATION, signed, failure);
    }

    function test_signed__none_or_too_many_or_nameless__is_refused() public {
        uint256 most = credits.MAX_AWARDS();
        ICredits.Award[] memory awards = new ICredits.Award[](0);
        ISignedMessages.Signed memory signed = _by("issuer", FIRST, awards, OPERATION);
        bytes memory failure = abi.encodeWithSelector(ICredits.CreditsBatchSize.selector, 0, most);
        _bring(FIRST, awards, OPERATION, signed, failure);
        awards = new ICredits.Award[](most + 1);
        failure = abi.encodeWithSelector(ICredits.CreditsBatchSize.selector, most + 1, most);
        _bring(FIRST, awards, OPERATION, signed, failure);
        awards = _awards(1, 5);
        signed = _by("issuer", FIRST, awards, 0);
        _bring(FIRST, awards, 0, signed, abi.encodePacked(IJournal.JournalOperationIdMissing.selector));
    }

    // --- what the tests above are made of

    function _by(string memory name, uint16 programmeId, ICredits.Award[] memory awards, bytes32 operationId)
        private
        view
        returns (ISignedMessages.Signed memory)
    {
        return _signedBatch(_key(name), address(credits), programmeId, awards, operationId, DEADLINE);
    }

    function _bring(
        uint16 programmeId,
        ICredits.Award[] memory awards,
        bytes32 operationId,
        ISignedMessages.Signed memory signed,
        bytes memory failure
    ) private {
        bytes memory data = abi.encodeCall(credits.awardBySignature, (programmeId, awards, operationId, signed));
        _send(address(credits), carrier, data, failure);
    }

    /// @dev An award of 5 signed by a key in a signer's name.
    function _bringFor(bytes memory signer, string memory name, bytes memory failure) private {
        ICredits.Award[] memory awards = _awards(1, 5);
        bytes32 operationId = _operation();
        bytes32 message = _batch(FIRST, awards, credits.accountOf(signer), operationId, DEADLINE);
        bytes32 digest = _digest(address(credits), CREDITS_DOMAIN, message);
        _bring(FIRST, awards, operationId, _signedFor(signer, _key(name), digest, DEADLINE), failure);
    }

    function _makeIssuer(address account) private {
        _appoint(ISSUER_ROLE, FIRST, account);
        bytes32 operationId = _operation();
        vm.prank(council);
        programmes.setBudget(FIRST, account, 100, 100, operationId);
    }

    function _two() private pure returns (ICredits.Award[] memory awards) {
        awards = new ICredits.Award[](2);
        awards[0] = ICredits.Award(1, 5, DATA, EVIDENCE);
        awards[1] = ICredits.Award(2, 7, BUILD, EVIDENCE);
    }

    function _words(uint64 number, ICredits.Award memory given, int64 balanceAfter)
        private
        view
        returns (bytes memory)
    {
        return bytes.concat(
            abi.encode(
                ICredits.EntryPosted.selector, number, FIRST, given.orgId, ICredits.Kind.Award, given.category
            ),
            abi.encode(given.amount, balanceAfter, given.evidence, 0, issuer, OPERATION)
        );
    }

    function _invalid(address account) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ISignedMessages.SignedInvalid.selector, account);
    }

    function _done(uint64 sequence) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IJournal.JournalOperationDone.selector, OPERATION, sequence);
    }

    function _roleMissing(address account) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IAuthority.AuthorityRoleMissing.selector, account, ISSUER_ROLE, FIRST);
    }
}
